// A user with a separate browser profile: the actions on a page, and the problems that the browser
// reports.

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
    /** When the app hydrated the page, in milliseconds of `performance.now()`. */
    hydratedAt?: number;
    /** Violations of the content security policy. */
    policyViolations: string[];
    /** A mark that is lost when the page reloads. */
    mark?: string;
    /** Set by a hostile text if it runs. */
    harmed?: unknown;
  }
}

/** Runs in every page before its own scripts. */
function recordHydrationAndViolations() {
  window.policyViolations = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.policyViolations.push(`${event.violatedDirective} forbids ${event.blockedURI}`);
  });
  // The app starts its clock as soon as it has hydrated the page.
  const { setInterval } = window;
  window.setInterval = ((...clock: Parameters<typeof setInterval>) => {
    window.hydratedAt ??= performance.now();
    return setInterval(...clock);
  }) as typeof setInterval;
}

/** The first timer ID of Playwright's clock. The app's WebAssembly holds a timer ID in 32 bits. */
const TIMERS_FROM = 1e12;

/** Maps timer IDs to small numbers, so that the app can clear its timers. */
function numberTimers(from: number) {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = window;
  const toSmall = (id: number) => id - from + 1;
  const toLarge = (id?: number) => id && id + from - 1;
  Object.assign(window, {
    setTimeout: (...timer: Parameters<typeof setTimeout>) => toSmall(setTimeout(...timer)),
    clearTimeout: (id?: number) => clearTimeout(toLarge(id)),
    setInterval: (...timer: Parameters<typeof setInterval>) => toSmall(setInterval(...timer)),
    clearInterval: (id?: number) => clearInterval(toLarge(id)),
  });
}

/** What all tabs of a browser profile share. */
class Profile {
  readonly problems: string[] = [];
  readonly expectedProblems: string[] = [];
  readonly expectedPatterns: RegExp[] = [];
  readonly openStreams = new Set<Request>();
  readonly trustedOrigins = new Set<string>();
}

export class User {
  private constructor(
    readonly name: string,
    readonly page: Page,
    private readonly origin: string,
    private readonly profile = new Profile(),
  ) {}

  /**
   * Script errors, policy violations, dialogs, requests to other origins, and pages that the app
   * did not hydrate, in any tab. A test fails if there are any.
   */
  get problems(): readonly string[] {
    return this.profile.problems;
  }

  /** The problems that the test expects and that came. */
  get expectedProblems(): readonly string[] {
    return this.profile.expectedProblems;
  }

  /** The open event streams of all tabs. */
  get openStreams(): Set<Request> {
    return this.profile.openStreams;
  }

  /** Other origins that the user may visit. */
  get trustedOrigins(): Set<string> {
    return this.profile.trustedOrigins;
  }

  /**
   * Expects problems like this one until the end of the test: a document that is left may report
   * one late, and the next document the same one again.
   */
  expectProblems(pattern: RegExp): void {
    this.profile.expectedPatterns.push(pattern);
  }

  static async open(
    browser: Browser,
    origin: string,
    name: string,
    options?: BrowserContextOptions,
  ): Promise<User> {
    // A service worker would answer requests that tests intercept.
    const defaults = { baseURL: origin, serviceWorkers: "block", locale: "en-GB" } as const;
    const context = await browser.newContext({ ...defaults, ...options });
    await context.addCookies([{ name: "name", value: encodeURIComponent(name), url: origin }]);
    await context.addInitScript(recordHydrationAndViolations);
    const user = new User(name, await context.newPage(), origin);
    user.recordProblems();
    return user;
  }

  /** Opens another tab of the same browser profile. */
  async openTab(): Promise<User> {
    const tab = new User(
      this.name,
      await this.page.context().newPage(),
      this.origin,
      this.profile,
    );
    tab.recordProblems();
    return tab;
  }

  /** Lets `page.clock` control the time of this browser, from the next page load on. */
  async installClock(): Promise<void> {
    await this.page.clock.install();
    await this.page.context().addInitScript(numberTimers, TIMERS_FROM);
  }

  /** Signs in to the account of this name without using the page. */
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

  /** Opens a page and waits until the app has hydrated it. */
  async visit(path: string): Promise<void> {
    await this.page.goto(path);
    await this.waitForHydration();
  }

  async waitForHydration(): Promise<void> {
    await this.page.waitForFunction(() => window.hydratedAt);
  }

  /** From the next page on, the app never starts, as before its script has arrived. */
  async holdBackApp(): Promise<void> {
    const body = "export default () => new Promise(() => {})";
    await this.page.route("**/*.js", (route) =>
      route.fulfill({ contentType: "text/javascript", body }),
    );
  }

  /** Opens a room and waits until its connection is live. */
  async openRoom(room: string): Promise<void> {
    await this.page.goto(room);
    await this.waitUntilLive();
  }

  async waitUntilLive(): Promise<void> {
    await expect(this.connectionStatus).toHaveText("Live");
  }

  /** Types a message and sends it with Enter. */
  async send(text: string): Promise<void> {
    await this.messageField.fill(text);
    await this.messageField.press("Enter");
  }

  /** Opens the menu of a message, which is given by itself or by a part of its text. */
  async openMessageMenu(message: Locator | string): Promise<Locator> {
    const one = typeof message === "string" ? this.messages.filter({ hasText: message }) : message;
    await one.hover();
    await one.getByRole("button", { name: "Message actions" }).click();
    return this.page.getByRole("group", { name: "This message" });
  }

  /** Playwright cannot hide a page, so this sets `document.hidden` and dispatches the event. */
  async setHidden(hidden: boolean): Promise<void> {
    await this.page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, hidden);
  }

  /** Closes the browser profile. */
  async close(): Promise<void> {
    if (!this.page.isClosed()) await this.collectPolicyViolations();
    await this.page.context().close();
  }

  /** Adds the policy violations of the current page to `problems`. */
  async collectPolicyViolations(): Promise<void> {
    // A page without JavaScript, or one that is navigating, cannot be evaluated.
    const violations = await this.page
      .evaluate(() => window.policyViolations ?? [])
      .catch(() => []);
    violations.forEach((violation) => this.addProblem(violation));
  }

  /** The path of the current page. */
  get path(): string {
    return new URL(this.page.url()).pathname;
  }

  /** The message field of the composer. */
  get messageField(): Locator {
    return this.page.getByRole("textbox", { name: "Message", exact: true });
  }

  /** The connection status in the header. */
  get connectionStatus(): Locator {
    return this.page.locator(".connection [role=status]");
  }

  get log(): Locator {
    return this.page.getByRole("log");
  }

  /** Every drawn message, including pending ones. */
  get messages(): Locator {
    return this.log.getByRole("article");
  }

  /** The text of every drawn message, including pending ones. */
  get messageBodies(): Locator {
    return this.log.locator("article .body");
  }

  /** The pending messages. */
  get pendingMessages(): Locator {
    return this.log.locator("article.pending");
  }

  /** The paths that the open event streams subscribe to: rooms, and the list of public rooms. */
  get subscribedPaths(): string[] {
    return [...this.openStreams].flatMap((request) => {
      const { searchParams } = new URL(request.url());
      const rooms = searchParams.get("rooms")?.split(",") ?? [];
      return [...(searchParams.has("list") ? [""] : []), ...rooms].map((id) =>
        id ? `/rooms/${id}/` : "/rooms/",
      );
    });
  }

  private addProblem(problem: string) {
    const { expectedPatterns, expectedProblems, problems } = this.profile;
    const isExpected = expectedPatterns.some((pattern) => pattern.test(problem));
    (isExpected ? expectedProblems : problems).push(problem);
  }

  private recordProblems() {
    const { page, trustedOrigins } = this;
    page.on("console", (message) => {
      // Failed loads are expected offline; tests that care check the responses.
      const failedLoad = /Failed to load resource|net::ERR|WebSocket connection to/.test(
        message.text(),
      );
      const redrawn = message.text().includes("changed before the app started");
      if (redrawn || (message.type() === "error" && !failedLoad)) this.addProblem(message.text());
    });
    page.on("pageerror", (error) => this.addProblem(error.message));
    page.on("dialog", (dialog) => {
      this.addProblem(`a dialog said ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      const allowed = url.origin === this.origin || trustedOrigins.has(url.origin);
      if (!["data:", "blob:"].includes(url.protocol) && !allowed)
        this.addProblem(`requested ${url.href}`);
      if (request.resourceType() === "eventsource") this.openStreams.add(request);
    });
    page.on("requestfinished", (request) => this.openStreams.delete(request));
    page.on("requestfailed", (request) => this.openStreams.delete(request));
    // Closing or crashing a tab ends its streams without an event.
    const ended = () =>
      this.openStreams.forEach(
        (request) => request.frame().page() === page && this.openStreams.delete(request),
      );
    page.on("close", ended).on("crash", ended);
  }
}
