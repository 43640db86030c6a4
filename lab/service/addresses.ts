import { Resolver } from 'node:dns/promises';

/** After a failure the name is asked again, but not more often than this. */
const RETRY_MS = 250;

/** Where the database is right now. */
export interface AddressSource {
  current(): Promise<string>;
  /** Tells that the address last given does not work: the next question goes to the resolver again. */
  doubt(): void;
}

/** An address that never changes: a recovered copy that is looked at before anybody may use it. */
export function fixedAddress(address: string): AddressSource {
  return { current: async () => address, doubt: () => undefined };
}

/**
 * Looks a name up at one resolver and believes the answer for as long as its TTL says, or until it is doubted. An answer
 * that has run out is still used while the resolver is silent: better an old address than none.
 */
export function resolvedAddress(name: string, server: string): AddressSource {
  let known: { address: string; until: number } | undefined;
  let asked = Number.NEGATIVE_INFINITY;
  let asking: Promise<string> | undefined;

  const ask = async (): Promise<string> => {
    asked = performance.now();
    // A resolver keeps answers for their TTL, doubted or not: a new one asks.
    const resolver = new Resolver({ timeout: 1_000, tries: 2 });
    resolver.setServers([server]);
    try {
      const [answer] = await resolver.resolve4(name, { ttl: true });
      if (!answer) throw new Error(`${name} has no address`);
      known = { address: answer.address, until: performance.now() + answer.ttl * 1_000 };
      return answer.address;
    } catch (error) {
      if (known) return known.address;
      throw error;
    } finally {
      asking = undefined;
    }
  };
  return {
    async current() {
      if (known && performance.now() < known.until) return known.address;
      if (known && performance.now() < asked + RETRY_MS) return known.address;
      asking ??= ask();
      return asking;
    },
    doubt() {
      if (known) known = { ...known, until: 0 };
    },
  };
}
