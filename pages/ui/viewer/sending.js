// What a person did is told to the server a moment later, so that quick changes are told once.

const AFTER_MS = 250;

/**
 * Nothing is lost where the moment does not come: whoever holds it tells at once (`now`) before
 * the page, the picture or the component changes.
 * @template T
 */
export class Later {
  /** @param {(value: T) => void} tell */
  constructor(tell) {
    this.tell = tell;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {{value: T} | null} */
    this.waiting = null;
  }

  /** @param {T} value takes the place of one that still waits */
  later(value) {
    this.waiting = { value };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), AFTER_MS);
  }

  now() {
    clearTimeout(this.timer);
    const { waiting } = this;
    this.waiting = null;
    if (waiting) this.tell(waiting.value);
  }
}
