/** The text of the chapter that is open: kept on this device at once, on the server at each pause. */

import { cutVersion, deliver } from './delivery.js';
import { dropSent, keep, keepAtOnce } from './local-store.js';
import { hold } from './outbox.js';
import { asTyped } from './passages.js';

const KEEP_AFTER = 400; // ms without a key
const SEND_AFTER = 2000; // ms without a key
const AT_LATEST = 10_000; // ms of typing without any pause
const FIRST_WAIT = 1000; // ms before a call that failed is sent again
const LONGEST_WAIT = 30_000; // ms

export class OpenCopy {
  #desk;
  #show;
  #row; // what is sent next, or was sent last: see delivery.js
  #release = async () => {};
  #timers = /** @type {Record<string, any>} */ ({});
  #typingSince = 0;
  #failures = 0;
  #trouble = false; // the line says what keeps the text from being saved
  #savedAt = 0;
  #cut = null; // the name of the version that was asked for; null: none was
  #again = false;
  #running = null;
  #closed = false;
  conflict = null; // the 409 that the writer has to resolve
  isKept = true; // this device has what the page has

  /** `show(state, values)` says how safe the text is. `pause`: seconds until a version is made. */
  constructor(desk, show, pause) {
    this.#desk = desk;
    this.#show = show;
    this.pause = pause;
    const { chapter } = desk;
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    const base = { version: chapter.version, content: asTyped(chapter.content), title: chapter.title };
    this.version = base;
    this.isDraft = chapter.source === 'draft';
    this.#take({ id, client: id, seq: 0, chapterId: chapter.id, content: base.content, title: null, base, seen: null });
  }

  /** Goes on with a copy that this device or the server has. */
  #take(row) {
    void this.#release();
    this.#row = row;
    this.#release = hold(row);
  }

  /** Goes on where the working copy of the server stands. `found`: the answer of GET. */
  startFrom({ content, title, base_version: version, saved_at: seen }) {
    const base = { version, content: asTyped(content), title };
    const isTyped = this.isDirty; // before the answer was there: the server is asked as for any change
    if (isTyped) return;
    this.#row = { ...this.#row, seen, base, content: base.content, title: null };
    this.#savedAt = Date.parse(seen ?? '') || 0;
    if (this.#desk.text !== base.content || this.#desk.title !== title) this.#desk.replaceText(base.content, title);
    if (seen) this.#showSaved();
  }

  /** Goes on with a text of this device that the server has refused; the page shows it from now on. */
  adopt(row) {
    this.#take({ ...row, conflict: false });
    this.#desk.replaceText(row.content, row.title ?? row.base.title);
  }

  get id() {
    return this.#row.id;
  }

  get isDirty() {
    const { base } = this.#row;
    return this.#desk.text !== base.content || this.#desk.title !== base.title;
  }

  get #differsFromVersion() {
    return this.#desk.text !== this.version.content || this.#desk.title !== this.version.title;
  }

  /** Whether a version is to be made where the page is left: of a new text, or of one that she has named. */
  get #isVersionDue() {
    return this.#differsFromVersion || Boolean(this.#cut);
  }

  /** What the writer has now, and what the server has, for both to be compared. */
  get sides() {
    const { current, working } = this.conflict;
    const theirs = working ?? current;
    return {
      base: this.#row.base,
      mine: { content: this.#desk.text, title: this.#desk.title },
      theirs: { content: asTyped(theirs.content), title: theirs.title },
    };
  }

  /** After each key: nothing here reads the text. */
  changed() {
    if (this.#closed) return;
    this.#after('keep', KEEP_AFTER, () => this.#keep());
    this.#typingSince ||= Date.now();
    const left = Math.max(0, this.#typingSince + AT_LATEST - Date.now());
    this.#after('send', Math.min(SEND_AFTER, left), () => this.flush());
    this.#after('version', 1000 * this.pause, () => this.save());
  }

  #after(name, wait, work) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(work, wait);
  }

  /** The row of what is on the page now; a new text gets the next `seq`. */
  #capture() {
    const { base } = this.#row;
    const content = this.#desk.text;
    const title = this.#desk.title === base.title ? null : this.#desk.title;
    if (content !== this.#row.content || title !== this.#row.title) {
      this.#row = { ...this.#row, content, title, seq: this.#row.seq + 1, typedAt: Date.now(), sent: false };
    }
    return this.#row;
  }

  async #keep() {
    const row = this.#capture();
    if (this.isDirty && !this.#trouble) this.#show('typing');
    try {
      if (this.isDirty) await keep('copies', this.#asKept(row));
      else await dropSent(row.id, row.seq); // typed, and taken back before it was sent
      this.isKept = true;
    } catch (error) {
      console.info('The text is not kept on this device:', error.message);
      this.isKept = false;
    }
  }

  /** The row as the outbox takes it. `cut`: a version is to be made of it. */
  #asKept(row, cut = false) {
    const { projectId, title: chapterTitle } = this.#desk;
    return { typedAt: Date.now(), ...row, projectId, chapterTitle, conflict: this.conflict !== null, sent: !this.isDirty, cut, name: this.#cut ?? '' };
  }

  /** Sends all that is typed by now; one call at a time, and never an older text after a newer one. */
  flush() {
    this.#again = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run() {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        await this.#send();
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#running = null;
    }
  }

  async #send() {
    clearTimeout(this.#timers.send);
    clearTimeout(this.#timers.retry);
    this.#typingSince = 0;
    if (this.conflict) return;
    // A draft that is saved as it is becomes a finished text.
    if (this.isDirty || (this.#cut !== null && this.isDraft)) {
      await this.#keep();
      if (!this.#trouble) this.#show('saving');
      await this.#deliver();
    }
    if (this.#cut !== null && !this.#closed) await this.#makeVersion();
    this.#failures = 0;
    this.#trouble = false;
    if (!this.isDirty) this.#showSaved();
  }

  #showSaved() {
    if (this.#differsFromVersion) this.#show('saved', { at: this.#savedAt });
    else this.#show('version', { n: this.version.version });
  }

  async #deliver() {
    const sent = this.isDirty ? this.#row : { ...this.#row, seq: this.#row.seq + 1 };
    const got = await deliver(sent);
    if (this.#closed) return;
    // A call that this page made when it was hidden was later in the server's eyes: nothing was saved.
    if (got.savedSeq > got.seq) {
      this.#row = { ...this.#row, seq: got.savedSeq + 1 };
      return void (this.#again = true);
    }
    const { text, title, isComposing } = this.#desk;
    const isAsSent = text === sent.content && !isComposing;
    // The server has another text, to which nothing had been added here. By now there is: once more,
    // from the old base.
    if (got.content !== sent.content && !isAsSent) return void (this.#again = true);
    const isTitleAsSent = title === (sent.title ?? sent.base.title);
    this.#row = { ...got, seq: Math.max(got.seq, this.#row.seq), ...(isAsSent ? {} : { content: this.#row.content }) };
    this.#savedAt = Date.now();
    const [content, name] = [isAsSent ? got.content : text, isTitleAsSent ? got.base.title : title];
    if (content !== text || name !== title) this.#desk.replaceText(content, name);
    if (got.base.version !== this.version.version) await this.onOtherVersion();
    await dropSent(sent.id, sent.seq).catch(() => {}); // sent again, it changes nothing
  }

  /** The chapter has another version than the page knows of: calls `knowVersion`. */
  async onOtherVersion() {}

  async #makeVersion() {
    const name = this.#cut;
    const isNew = this.isDraft || this.#row.base.content !== this.version.content || this.#row.base.title !== this.version.title;
    if (!isNew && !name) return void (this.#cut = null);
    this.#show('saving');
    this.#cut = null; // another one may be asked for meanwhile
    const saved = await cutVersion(this.#row.chapterId, name).catch((error) => {
      this.#cut = this.#cut || name;
      throw error;
    });
    if (this.#closed) return;
    // A title that was given elsewhere, and that the writer has not changed here.
    if (this.#desk.title === this.#row.base.title) this.#desk.replaceText(this.#desk.text, saved.title);
    this.setVersion(saved);
    this.#desk.setBase(saved);
    this.onVersion(saved);
  }

  /** A version was made of what was sent. */
  onVersion(_chapter) {}

  knowVersion(chapter) {
    this.version = { version: chapter.version, content: asTyped(chapter.content), title: chapter.title };
    this.isDraft = chapter.source === 'draft';
  }

  /** The text that the server has now is this version's; what is on the page stays. */
  setVersion(chapter) {
    this.knowVersion(chapter);
    this.#row = { ...this.#row, base: this.version, seen: null };
    if (!this.isDirty) this.#row = { ...this.#row, content: this.version.content, title: null };
  }

  #failed(error) {
    if (this.#closed) return;
    this.#trouble = true;
    if (error.current) {
      this.conflict = error;
      void this.#keep();
      this.#show('conflict');
    } else if (error.status === 401) {
      this.#show('signin');
    } else if (error.status === 404) {
      this.#show('gone');
    } else if (error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429) {
      this.#cut = null;
      this.#show('refused', { reason: [error.message, ...Object.values(error.fields).flat()].join(' ') });
    } else {
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures);
      this.#failures += 1;
      this.#after('retry', wait / 2 + (Math.random() * wait) / 2, () => this.flush());
      this.#show(this.isKept ? 'offline' : 'unkept', { reason: error.message });
    }
  }

  /** The writer wants a version; `name` is what she calls it. */
  save(name = '') {
    clearTimeout(this.#timers.version);
    this.#cut = name || this.#cut || '';
    return this.flush();
  }

  /** The writer has made one text of both: it takes the place of what she has seen. */
  resolve({ content, title }) {
    const { current, working } = this.conflict;
    const theirs = working ?? current;
    const base = { version: current.version, content: asTyped(theirs.content), title: theirs.title };
    this.conflict = null;
    this.#trouble = false;
    this.#row = { ...this.#row, base, seen: working?.saved_at ?? null };
    this.#desk.replaceText(content, title);
    void this.#keep();
    void this.onOtherVersion();
    return this.flush();
  }

  /**
   * Another chapter comes: what is here is kept with the wish for a version, which the outbox of this
   * page or of the next one fulfils. Where this device keeps nothing, the server has to have it.
   * Resolves to whether it is kept; if so, nothing that is typed from then on is this copy's.
   */
  async close() {
    let row;
    do {
      row = this.#asKept(this.#capture(), this.#isVersionDue);
      try {
        if (row.cut || !row.sent) await keep('copies', row);
      } catch (error) {
        console.info('The text is not kept on this device:', error.message);
        await this.save();
        if (this.isDirty) return false;
      }
    } while (this.#capture().seq !== row.seq); // typed meanwhile
    void this.end();
    return true;
  }

  end() {
    this.#closed = true;
    Object.values(this.#timers).forEach(clearTimeout);
    return this.#release();
  }

  /** The page may be closed at any moment: what can be sent is sent by calls that outlive it. */
  leaving(isGoing) {
    const row = this.#asKept(this.#capture(), isGoing && this.#isVersionDue);
    if (row.sent && !row.cut) return;
    if (isGoing) keepAtOnce(row);
    else void this.#keep();
    if (this.conflict) return;
    const call = row.sent ? cutVersion(row.chapterId, row.name, true) : deliver(row, { leaving: true });
    call.catch((error) => console.info('Sent again later:', error.message));
  }
}
