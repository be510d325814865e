// The server under test and the test fixtures. Every test that uses `webchat` gets its own server
// with an empty data directory; `openBrowser` opens a separate browser profile for each user.
//
// The server is the debug binary, which `make debug-build` compiles with the tests of the crates,
// unless `WEBCHAT_BINARY` names another one.

import { test as base, type BrowserContextOptions } from "@playwright/test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { User } from "./user";

const root = resolve(import.meta.dirname, "../..");
/** The path of the binary under test. */
export const binary = resolve(root, process.env.WEBCHAT_BINARY ?? "target/debug/webchat");

/** A room in the JSON API. */
export interface Room {
  id: string;
  name: string | null;
  public: boolean;
  message_count: number;
}

/** A message in the JSON API. */
export interface Message {
  id: number;
  username: string;
  body: string;
  marks?: { kind: string; from: number; to: number }[];
  sent_at: string;
}

/** Deviations from the default start of a server. */
interface StartOptions {
  flags?: string[];
  /** The data directory of an earlier server; an empty one by default. */
  data?: string;
  /** The port of an earlier server; a free one by default. */
  port?: string;
  /** The binary to run and its working directory. */
  program?: string;
  cwd?: string;
}

/** A running server. */
export class Webchat {
  private constructor(
    readonly url: string,
    readonly data: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(options: StartOptions = {}): Promise<Webchat> {
    const { flags = [], port = "0", program = binary, cwd = root } = options;
    const data = options.data ?? (await mkdtemp(join(tmpdir(), "webchat-")));
    const fixed = ["--listen", `127.0.0.1:${port}`, "--data-dir", data];
    const limit = flags.includes("--rate-limit") ? [] : ["--rate-limit", "off"];
    const child = spawn(program, [...fixed, ...limit, ...flags], {
      cwd,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const url = await new Promise<string>((resolve, reject) => {
      // Keeps reading the log: a full pipe would block the server.
      createInterface({ input: child.stderr }).on("line", (line) => {
        const found = /listening on (http:\/\/\S+)/.exec(line)?.[1];
        if (found) resolve(found);
      });
      child
        .on("error", reject)
        .on("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
    });
    return new Webchat(new URL(url).origin, data, child);
  }

  /** Stops the server, keeps its data and returns the exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, "exit");
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }

  /** Starts a server on the same port with the same data. */
  async restart(): Promise<Webchat> {
    return Webchat.start({ data: this.data, port: new URL(this.url).port });
  }

  /** Creates a room and returns its path. */
  async createRoom(
    options: { name?: string; public?: boolean; timeout?: string } = {},
  ): Promise<string> {
    const answer = await this.postJson("/rooms/", options);
    if (answer.status !== 201) throw new Error(`room not created: ${await answer.text()}`);
    await answer.arrayBuffer();
    return answer.headers.get("location") ?? "";
  }

  /** Posts a message through the JSON API, without a guest key. */
  async postMessage(room: string, username: string, body: string): Promise<Message> {
    const answer = await this.postJson(`${room}messages/`, { username, body });
    if (answer.status !== 201) throw new Error(`message not posted: ${await answer.text()}`);
    return (await answer.json()) as Message;
  }

  /** Creates an account with the password `secret` and returns its token. */
  async createAccount(username: string, name = username.toUpperCase()): Promise<string> {
    const answer = await this.postJson("/register", { name, username, password: "secret" });
    if (!answer.ok) throw new Error(`account not created: ${await answer.text()}`);
    return ((await answer.json()) as { content: { token: string } }).content.token;
  }

  /** Sends a message in a direct chat through the JSON API. */
  async sendDirectMessage(token: string, username: string, body: string): Promise<void> {
    const headers = {
      Authorization: `Bearer ${token}`,
      Accept: "application/json",
      "Content-Type": "application/json",
    };
    const room = (await (await fetch(`${this.url}/chats/${username}`, { headers })).json()) as Room;
    const to = `${this.url}/rooms/${room.id}/messages/`;
    const answer = await fetch(to, { method: "POST", headers, body: JSON.stringify({ body }) });
    if (answer.status !== 201) throw new Error(`direct message not sent: ${await answer.text()}`);
  }

  /** Sends a POST request with a JSON body. */
  postJson(path: string, body: object): Promise<Response> {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    return fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /** Reads a JSON resource. */
  async getJson<T>(path: string): Promise<T> {
    return (await (
      await fetch(this.url + path, { headers: { Accept: "application/json" } })
    ).json()) as T;
  }

  /** The texts of a room's messages, oldest first. */
  async messageTexts(room: string): Promise<string[]> {
    const messages: Message[] = [];
    for (;;) {
      const page = await this.getJson<Message[]>(
        `${room}messages/?after=${messages.at(-1)?.id ?? 0}&limit=1000`,
      );
      if (page.length === 0) return messages.map((message) => message.body);
      messages.push(...page);
    }
  }
}

/** Opens a separate browser profile for the user of this name. */
export type OpenBrowser = (name: string, options?: BrowserContextOptions) => Promise<User>;

/**
 * Tests with a server, started with the flags of `test.use({ flags: ["--timeout", "5s"] })`. A test
 * fails if any page logged an error, violated its content security policy or sent a request to
 * another origin.
 */
export const test = base.extend<{ flags: string[]; webchat: Webchat; openBrowser: OpenBrowser }>({
  flags: [[], { option: true }],
  webchat: async ({ flags }, use) => {
    const webchat = await Webchat.start({ flags });
    await use(webchat);
    await webchat.stop();
    await rm(webchat.data, { recursive: true, force: true });
  },
  baseURL: async ({ webchat }, use) => use(webchat.url),
  openBrowser: async ({ webchat, browser }, use) => {
    const users: User[] = [];
    await use(async (name, options) => {
      const user = await User.open(browser, webchat.url, name, options);
      users.push(user);
      return user;
    });
    for (const user of users) await user.close();
    base.expect(users.flatMap((user) => user.problems)).toEqual([]);
  },
});

export { expect } from "@playwright/test";
export { User } from "./user";
