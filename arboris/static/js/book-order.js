/** The order of a book while it is changed: volumes of chapters. No DOM in here. */

export class BookOrder {
  /** `volumes`: [{title, chapters: [id…]}]; `chapters`: [{id, chapter_number, title, word_count}], as `GET …/order` has them. */
  constructor({ volumes, chapters }) {
    this.volumes = volumes.map(({ title, chapters: ids }) => ({ title, chapters: [...ids] }));
    this.chapters = new Map(chapters.map((chapter) => [chapter.id, chapter]));
  }

  get isDivided() {
    return this.volumes.length > 1 || Boolean(this.volumes[0]?.title);
  }

  /** What is listed: `{key, id, volume, position, size, number}`; a volume's own row has no `id`. */
  rows() {
    let number = 0;
    return this.volumes.flatMap(({ chapters }, volume) => [
      ...(this.isDivided ? [{ key: `volume-${volume}`, id: null, volume, position: volume + 1, size: this.volumes.length, number: 0 }] : []),
      ...chapters.map((id, at) => ({ key: `chapter-${id}`, id, volume, position: at + 1, size: chapters.length, number: (number += 1) })),
    ]);
  }

  /** As `PUT …/order` takes it. */
  get body() {
    return { volumes: this.volumes };
  }

  place(id) {
    const volume = this.volumes.findIndex(({ chapters }) => chapters.includes(id));
    return { volume, at: this.volumes[volume]?.chapters.indexOf(id) ?? -1 };
  }

  next(id) {
    const ids = this.volumes.flatMap(({ chapters }) => chapters);
    return ids[ids.indexOf(id) + 1] ?? null;
  }

  previous(id) {
    const ids = this.volumes.flatMap(({ chapters }) => chapters);
    return ids[ids.indexOf(id) - 1] ?? null;
  }

  /** One place up (-1) or down (1), from the edge of a volume into the next one; false: it is at the end. */
  step(id, by) {
    const { volume, at } = this.place(id);
    const { chapters } = this.volumes[volume];
    if (chapters[at + by] !== undefined) return this.put(id, volume, at + by);
    const other = this.volumes[volume + by];
    return other ? this.put(id, volume + by, by < 0 ? other.chapters.length : 0) : false;
  }

  /** `at` is its place once it has left its own. */
  put(id, volume, at) {
    const from = this.place(id);
    this.volumes[from.volume].chapters.splice(from.at, 1);
    this.volumes[volume].chapters.splice(at, 0, id);
    return from.volume !== volume || from.at !== at;
  }

  /** Before or after another chapter. */
  putBeside(id, other, after) {
    if (id === other) return false;
    const from = this.place(id);
    const to = this.place(other);
    const left = from.volume === to.volume && from.at < to.at ? 1 : 0;
    return this.put(id, to.volume, to.at + (after ? 1 : 0) - left);
  }

  /** A new volume from this chapter on. */
  divide(id, title) {
    const { volume, at } = this.place(id);
    const rest = this.volumes[volume].chapters.splice(at);
    const isNew = this.isDivided || at > 0;
    this.volumes.splice(volume + 1, 0, { title, chapters: rest });
    if (!isNew) this.volumes.splice(volume, 1); // the whole book gets its first volume
  }

  /** The volume's chapters go to the one before it, or lose their volume where it is the only one. */
  undivide(volume) {
    if (this.volumes.length === 1) this.volumes[0].title = '';
    else {
      const [{ chapters }] = this.volumes.splice(volume, 1);
      if (volume > 0) this.volumes[volume - 1].chapters.push(...chapters);
      else this.volumes[0].chapters.unshift(...chapters);
    }
  }
}
