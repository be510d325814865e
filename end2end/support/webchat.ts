// The program under test, and the people who use it. Every test that asks for `webchat` gets a server of its own, with
// an empty data directory; every person that joins has a browser profile of their own.
//
// The program is the release binary, unless `WEBCHAT_BINARY` names another or cargo-leptos runs the tests: then it is
// the one that cargo-leptos has just built.

import { test as base, type BrowserContextOptions } from "@playwright/test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Person } from "./person";

const root = resolve(import.meta.dirname, "../..");
const built = process.env.LEPTOS_SITE_ROOT ? "target/debug/webchat" : "target/release/webchat";

/** The program. */
export const binary = resolve(root, process.env.WEBCHAT_BINARY ?? built);

/** A room as the API tells of it. */
export interface Room {
  id: string;
  name: string | null;
  public: boolean;
  message_count: number;
}

/** A message as the API tells of it. */
export interface Message {
  id: number;
  username: string;
  body: string;
  sent_at: string;
}

/** How a server is started, where not as always. */
interface Start {
  flags?: string[];
  /** The data of an earlier server; else an empty directory. */
  data?: string;
  /** The port of an earlier server; else a free one. */
  port?: string;
  /** The program, if not the one under test; and where it runs. */
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

  static async start(how: Start = {}): Promise<Webchat> {
    const { flags = [], port = "0", program = binary, cwd = root } = how;
    const data = how.data ?? (await mkdtemp(join(tmpdir(), "webchat-")));
    const fixed = ["--listen", `127.0.0.1:${port}`, "--data-dir", data];
    const limit = flags.includes("--rate-limit") ? [] : ["--rate-limit", "off"];
    const child = spawn(program, [...fixed, ...limit, ...flags], {
      cwd,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const url = await new Promise<string>((resolve, reject) => {
      // Reads to the end of the log: a server whose log nobody reads would come to a stop.
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

  /** Stops the server and gives its exit code; its data stay. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, "exit");
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }

  /** A server on the same port, with the same data. */
  async again(): Promise<Webchat> {
    return Webchat.start({ data: this.data, port: new URL(this.url).port });
  }

  /** Opens a room and gives its path. */
  async room(wish: { name?: string; public?: boolean; timeout?: string } = {}): Promise<string> {
    const answer = await this.ask("/rooms/", wish);
    if (answer.status !== 201) throw new Error(`no room: ${await answer.text()}`);
    await answer.arrayBuffer();
    return answer.headers.get("location") ?? "";
  }

  /** Posts a message, as a program does. */
  async post(room: string, username: string, body: string): Promise<Message> {
    const answer = await this.ask(`${room}messages/`, { username, body });
    if (answer.status !== 201) throw new Error(`not posted: ${await answer.text()}`);
    return (await answer.json()) as Message;
  }

  /** Makes an account with the password `secret`, and gives a token of it. */
  async account(username: string, name = username.toUpperCase()): Promise<string> {
    const answer = await this.ask("/register", { name, username, password: "secret" });
    if (!answer.ok) throw new Error(`no account: ${await answer.text()}`);
    return ((await answer.json()) as { content: { token: string } }).content.token;
  }

  /** Says something in a direct chat, as a program that has a token. */
  async tell(token: string, username: string, body: string): Promise<void> {
    const headers = {
      Authorization: `Bearer ${token}`,
      Accept: "application/json",
      "Content-Type": "application/json",
    };
    const room = (await (await fetch(`${this.url}/chats/${username}`, { headers })).json()) as Room;
    const to = `${this.url}/rooms/${room.id}/messages/`;
    const answer = await fetch(to, { method: "POST", headers, body: JSON.stringify({ body }) });
    if (answer.status !== 201) throw new Error(`not told: ${await answer.text()}`);
  }

  /** Posts any JSON. */
  ask(path: string, body: object): Promise<Response> {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    return fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /** Reads any JSON. */
  async read<T>(path: string): Promise<T> {
    return (await (
      await fetch(this.url + path, { headers: { Accept: "application/json" } })
    ).json()) as T;
  }

  /** The texts of a room's messages, oldest first. */
  async said(room: string): Promise<string[]> {
    const said: Message[] = [];
    for (;;) {
      const page = await this.read<Message[]>(
        `${room}messages/?after=${said.at(-1)?.id ?? 0}&limit=1000`,
      );
      if (page.length === 0) return said.map((message) => message.body);
      said.push(...page);
    }
  }
}

/** Lets somebody come with a browser of their own; `options` say how it differs from others. */
export type Come = (name: string, options?: BrowserContextOptions) => Promise<Person>;

/**
 * Tests with a server: `test.use({ flags: ["--timeout", "5s"] })` says how it is started. A test fails when anybody's
 * page complained, or asked for anything elsewhere.
 */
export const test = base.extend<{ flags: string[]; webchat: Webchat; come: Come }>({
  flags: [[], { option: true }],
  webchat: async ({ flags }, use) => {
    const webchat = await Webchat.start({ flags });
    await use(webchat);
    await webchat.stop();
    await rm(webchat.data, { recursive: true, force: true });
  },
  baseURL: async ({ webchat }, use) => use(webchat.url),
  come: async ({ webchat, browser }, use) => {
    const people: Person[] = [];
    await use(async (name, options) => {
      const person = await Person.come(browser, webchat.url, name, options);
      people.push(person);
      return person;
    });
    for (const person of people) await person.leave();
    base.expect(people.flatMap((person) => person.complaints)).toEqual([]);
  },
});

export { expect } from "@playwright/test";
export { Person } from "./person";
