import type { BucketDriver, ListedObject } from './driver.js';

/** A bucket's listing, read alongside another one: both come in the order of their keys. */
export class Listing {
  private readonly pages: AsyncGenerator<readonly ListedObject[]>;
  private ahead: ListedObject[] = [];
  private ended = false;

  constructor(bucket: BucketDriver, after: string | undefined) {
    this.pages = bucket.list(after);
  }

  /** Objects that were not given yet, with keys up to this one. */
  async upTo(key: string): Promise<ReadonlyMap<string, ListedObject>> {
    while (!this.ended && (this.ahead.length === 0 || !isBehind(this.ahead.at(-1) as ListedObject, key))) {
      await this.more();
    }
    const cut = this.ahead.findIndex((object) => isBehind(object, key));
    const found = this.ahead.splice(0, cut < 0 ? this.ahead.length : cut);
    return new Map(found.map((object) => [object.key, object]));
  }

  /** How many are left. */
  async rest(): Promise<number> {
    let count = this.ahead.length;
    while (!this.ended) {
      this.ahead = [];
      await this.more();
      count += this.ahead.length;
    }
    return count;
  }

  private async more(): Promise<void> {
    const { done, value } = await this.pages.next();
    if (done === true) this.ended = true;
    else this.ahead.push(...value);
  }
}

function isBehind(object: ListedObject, key: string): boolean {
  return Buffer.compare(Buffer.from(object.key), Buffer.from(key)) > 0;
}
