/** One socket that stays: comes back by itself, and says when it is down so that others can poll. */

const PROTOCOL = 'arboris.v1';
const PING_EVERY = 25_000; // ms
const SILENCE = 75_000; // ms without any frame: the line is dead (the server speaks every 30 s)
const STEADY = 10_000; // ms open before the back-off starts anew
const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 10_000; // ms; a server that was killed has all pages back in half a minute
const REFUSED_WAIT = 30_000; // ms

export const CLOSE = { SIGNED_OUT: 4401, ORIGIN: 4403, STALLED: 4408, TOO_MANY: 4429, RESTART: 4012 };

/**
 * How long to wait before the next try, in ms. Full jitter: after an outage the pages of all
 * writers must not come back in the same moment.
 */
export function waitBeforeRetry(code, failures, random = Math.random) {
  if (code === CLOSE.RESTART) return 300 + random() * 3000;
  if (code === CLOSE.ORIGIN || code === CLOSE.TOO_MANY) return REFUSED_WAIT * (1 + random());
  const ceiling = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
  return ceiling / 2 + (random() * ceiling) / 2;
}

export class LiveSocket {
  #socket = null;
  #failures = 0;
  #timer = 0;
  #pulse = 0;
  #heard = 0;
  #opened = 0;
  #stopped = false;

  /** `handlers`: since() → id or null, onFrame(frame), onUp(), onDown(), onSignedOut(). */
  constructor(handlers) {
    this.handlers = handlers;
    addEventListener('online', () => this.#again(0));
    addEventListener('pagehide', () => this.stop());
    addEventListener('pageshow', (event) => event.persisted && this.start());
  }

  get isUp() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  start() {
    this.#stopped = false;
    this.#again(0);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  send(frame) {
    if (this.isUp) this.#socket.send(JSON.stringify(frame));
  }

  #again(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #connect() {
    if (this.#stopped || (this.#socket && this.#socket.readyState <= WebSocket.OPEN)) return;
    const url = new URL('/ws/notifications', location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const since = this.handlers.since();
    url.searchParams.set('page_user', document.body.dataset.userId); // as X-Page-User of the API's calls
    if (since !== null) url.searchParams.set('since', String(since));
    const socket = new WebSocket(url, PROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.#up();
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = (event) => socket === this.#socket && this.#down(event.code);
  }

  #up() {
    this.#opened = this.#heard = Date.now();
    clearInterval(this.#pulse);
    this.#pulse = setInterval(() => this.#beat(), PING_EVERY);
    this.handlers.onUp();
  }

  #beat() {
    if (Date.now() - this.#heard > SILENCE) this.#socket.close(4000);
    else this.send({ type: 'ping' });
  }

  #hear(data) {
    this.#heard = Date.now();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch (error) {
      console.error('A frame that is no JSON was left out:', error.message);
      return;
    }
    this.handlers.onFrame(frame);
  }

  #down(code) {
    clearInterval(this.#pulse);
    this.#socket = null;
    if (this.#stopped) return;
    if (code === CLOSE.SIGNED_OUT) {
      this.#stopped = true;
      this.handlers.onSignedOut();
      return;
    }
    this.#failures = this.#opened && Date.now() - this.#opened > STEADY ? 0 : this.#failures + 1;
    this.#opened = 0;
    this.handlers.onDown();
    this.#again(waitBeforeRetry(code, this.#failures));
  }
}
