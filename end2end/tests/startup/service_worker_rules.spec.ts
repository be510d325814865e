// The service worker's script with stand-ins for the browser and the server, where the order of
// events can be chosen.

import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { expect, test } from "@playwright/test";

const ORIGIN = "https://chat.example";

type Handler = (event: object) => void;

/** The worker, and what it keeps. */
class Worker {
  /** The paths of the kept answers, by the name of their cache. */
  readonly kept = new Map<string, Map<string, Response>>();
  private readonly handlers = new Map<string, Handler>();
  private readonly pending: Promise<unknown>[] = [];

  constructor(fetch: (request: { url: string } | string) => Promise<Response>) {
    const pathOf = (key: { url: string } | string) =>
      new URL(typeof key === "string" ? key : key.url, ORIGIN).pathname;
    const open = async (name: string) => {
      const pages = this.kept.get(name) ?? new Map<string, Response>();
      this.kept.set(name, pages);
      return {
        add: async (path: string) => void pages.set(path, await fetch(path)),
        put: async (key: string, answer: Response) => void pages.set(pathOf(key), answer),
        match: async (key: string) => pages.get(pathOf(key)),
        delete: async (key: { url: string }) => pages.delete(pathOf(key)),
        keys: async () => [...pages.keys()].map((path) => ({ url: ORIGIN + path })),
      };
    };
    const caches = {
      open,
      keys: async () => [...this.kept.keys()],
      delete: async (name: string) => this.kept.delete(name),
      match: async (key: string) =>
        [...this.kept.values()].map((pages) => pages.get(pathOf(key))).find(Boolean),
    };
    const self = {
      addEventListener: (name: string, handler: Handler) => this.handlers.set(name, handler),
      location: { origin: ORIGIN },
    };
    const script = readFileSync(new URL("../../../public/sw.js", import.meta.url), "utf8");
    runInContext(script, createContext({ self, caches, fetch, URL, Response }));
  }

  /** Passes a request of a page on; returns the answer, if the worker gives one. */
  request(path: string, method = "GET"): Promise<Response> | undefined {
    let answer: Promise<Response> | undefined;
    this.handlers.get("fetch")?.({
      request: { method, mode: "navigate", url: ORIGIN + path },
      waitUntil: (work: Promise<unknown>) => this.pending.push(work),
      respondWith: (given: Promise<Response>) => (answer = given),
    });
    return answer;
  }

  /** Waits until the worker has done all that it began. */
  async settle(): Promise<void> {
    while (this.pending.length) await this.pending.shift();
  }

  get paths(): string[] {
    return [...this.kept.values()].flatMap((pages) => [...pages.keys()]).sort();
  }
}

/** A page for this account. */
const page = (username: string) => {
  const state = JSON.stringify({ visitor: { signed: { account: { username } } } });
  const head = `<script type="application/json" id="initial-state">${state}</script>`;
  return new Response(`<html><head>${head}</head><body></body></html>`);
};

test("a page that was requested before signing out is not kept when it arrives afterwards", async () => {
  let answer: (page: Response) => void = () => {};
  const worker = new Worker(() => new Promise((resolve) => (answer = resolve)));
  const arriving = worker.request("/rooms/0123456789abcdef/");
  expect(worker.request("/logout", "POST")).toBeUndefined();
  await worker.settle();
  answer(page("ada"));
  expect((await arriving)?.status).toBe(200);
  await worker.settle();
  expect(worker.paths).toEqual([]);
});

test("a page is kept under its address, and one with a query is not", async () => {
  const worker = new Worker(async () => page("ada"));
  for (const path of ["/", "/rooms/0123456789abcdef/"]) await worker.request(path);
  await worker.settle();
  expect(worker.paths).toEqual(["/", "/rooms/0123456789abcdef/"]);
  for (const path of ["/?room=wrong", "/rooms/0123456789abcdef/?x", "/login", "/chat?room=tea"])
    expect(worker.request(path), path).toBeUndefined();
});
