/** A promise that the test resolves, to hold back a request until a condition is set up. */
export class Gate {
  isOpen = false;
  readonly opened: Promise<void>;
  private resolve = () => {};

  constructor() {
    this.opened = new Promise((resolve) => (this.resolve = resolve));
  }

  open(): void {
    this.isOpen = true;
    this.resolve();
  }
}
