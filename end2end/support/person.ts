// Somebody with a browser of their own: what they can do on the page, and what their browser complains about.

import {
  type Browser,
  type BrowserContextOptions,
  expect,
  type Locator,
  type Page,
  type Request,
} from "@playwright/test";

declare global {
  interface Window {
    /** When the app took over the page, by the page's clock in milliseconds. */
    alive?: number;
    /** What the page's policy forbade. */
    forbidden: string[];
    /** A mark that a page loaded anew would not have. */
    mark?: string;
    /** What a hostile text would set if it ran. */
    harmed?: unknown;
  }
}

/** Runs in every page before anything else. */
function watch() {
  window.forbidden = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.forbidden.push(`${event.violatedDirective} forbids ${event.blockedURI}`);
  });
  // The first thing that the app does when it has taken over is to start its clock.
  const { setInterval } = window;
  window.setInterval = ((...clock: Parameters<typeof setInterval>) => {
    window.alive ??= performance.now();
    return setInterval(...clock);
  }) as typeof setInterval;
}

/** What the clock that tests turn numbers its timers from. WebAssembly knows the number of a timer as one of 32 bits. */
const TIMERS_FROM = 1e12;

/** Numbers timers from 1, so that the app can clear them, too. */
function numberTimers(from: number) {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = window;
  const near = (id: number) => id - from + 1;
  const far = (id?: number) => id && id + from - 1;
  Object.assign(window, {
    setTimeout: (...timer: Parameters<typeof setTimeout>) => near(setTimeout(...timer)),
    clearTimeout: (id?: number) => clearTimeout(far(id)),
    setInterval: (...timer: Parameters<typeof setInterval>) => near(setInterval(...timer)),
    clearInterval: (id?: number) => clearInterval(far(id)),
  });
}

export class Person {
  private constructor(
    readonly name: string,
    readonly page: Page,
    private readonly origin: string,
    /** Errors of scripts, what the policy forbade, dialogs, requests to elsewhere, in any tab. */
    readonly complaints: string[] = [],
    /** The event streams that are open, of all tabs. */
    readonly streams = new Set<Request>(),
    /** Other sites that they may be sent to. */
    readonly trusts = new Set<string>(),
  ) {}

  static async come(
    browser: Browser,
    origin: string,
    name: string,
    options?: BrowserContextOptions,
  ): Promise<Person> {
    const context = await browser.newContext({ baseURL: origin, ...options });
    await context.addCookies([{ name: "name", value: encodeURIComponent(name), url: origin }]);
    await context.addInitScript(watch);
    const person = new Person(name, await context.newPage(), origin);
    person.listen();
    return person;
  }

  /** Opens one more tab of the same browser. */
  async tab(): Promise<Person> {
    const tab = new Person(
      this.name,
      await this.page.context().newPage(),
      this.origin,
      this.complaints,
      this.streams,
      this.trusts,
    );
    tab.listen();
    return tab;
  }

  /** From the next page on, the clock of this browser can be turned by `page.clock`. */
  async installClock(): Promise<void> {
    await this.page.clock.install();
    await this.page.context().addInitScript(numberTimers, TIMERS_FROM);
  }

  /** Signs in to the account of this name, beside the page. */
  async signIn(username = this.name): Promise<void> {
    const form = { username, password: "secret" };
    const { request } = this.page.context();
    const answer = await request.post("/login", {
      form,
      headers: { Accept: "text/html" },
      maxRedirects: 0,
    });
    expect(answer.status()).toBe(303);
  }

  /** Goes to a page and waits until the app has taken it over. */
  async go(path: string): Promise<void> {
    await this.page.goto(path);
    await this.alive();
  }

  async alive(): Promise<void> {
    await this.page.waitForFunction(() => window.alive);
  }

  /** Enters a room and waits until it is live. */
  async enter(room: string): Promise<void> {
    await this.page.goto(room);
    await this.live();
  }

  async live(): Promise<void> {
    await expect(this.connection).toHaveText("Live");
  }

  /** Writes a message and sends it with Enter. */
  async say(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** Closes the browser. */
  async leave(): Promise<void> {
    if (!this.page.isClosed()) await this.collect();
    await this.page.context().close();
  }

  /** Adds what the policy forbade on this page to the complaints. */
  async collect(): Promise<void> {
    // A page without scripts, or in between two pages, cannot be asked.
    const forbidden = await this.page.evaluate(() => window.forbidden ?? []).catch(() => []);
    this.complaints.push(...forbidden);
  }

  /** Where one writes. */
  get field(): Locator {
    return this.page.getByRole("textbox", { name: "Message", exact: true });
  }

  /** What the connection is doing. */
  get connection(): Locator {
    return this.page.locator(".connection [role=status]");
  }

  get log(): Locator {
    return this.page.getByRole("log");
  }

  /** Every message on the page, with those on their way. */
  get messages(): Locator {
    return this.log.getByRole("article");
  }

  /** The text of every message on the page, with those on their way. */
  get bodies(): Locator {
    return this.log.locator("article .body");
  }

  /** The messages on their way. */
  get pending(): Locator {
    return this.log.locator("article.pending");
  }

  /** What the open event streams bring: the paths of rooms, and that of their list. */
  get listening(): string[] {
    return [...this.streams].flatMap((request) => {
      const { searchParams } = new URL(request.url());
      const rooms = searchParams.get("rooms")?.split(",") ?? [];
      return [...(searchParams.has("list") ? [""] : []), ...rooms].map((id) =>
        id ? `/rooms/${id}/` : "/rooms/",
      );
    });
  }

  private listen() {
    const { page, complaints, trusts } = this;
    page.on("console", (message) => {
      // That something could not be loaded is what offline is about; tests that care look at the answers.
      const lost = /Failed to load resource|net::ERR|WebSocket connection to/.test(message.text());
      if (message.type() === "error" && !lost) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => {
      complaints.push(`a dialog said ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      const ours = url.origin === this.origin || trusts.has(url.origin);
      if (!["data:", "blob:"].includes(url.protocol) && !ours)
        complaints.push(`asked for ${url.href}`);
      if (request.resourceType() === "eventsource") this.streams.add(request);
    });
    page.on("requestfinished", (request) => this.streams.delete(request));
    page.on("requestfailed", (request) => this.streams.delete(request));
    // The streams of a tab that ended, well or not, have ended with it.
    const ended = () =>
      this.streams.forEach(
        (request) => request.frame().page() === page && this.streams.delete(request),
      );
    page.on("close", ended).on("crash", ended);
  }
}
