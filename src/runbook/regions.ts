/** What a region or a provider takes with it when it is lost, and what is left then. */
import type { Runbook } from './schema.js';

/**
 * Whether it is lost together with the region: it names it, or its failure domain lies in it, whoever the provider is. Likewise
 * with a provider.
 */
export function lostWith(
  region: string,
  { region: own, failureDomain }: { readonly region?: string; readonly failureDomain: string },
): boolean {
  return own === region || failureDomain.split('/').includes(region);
}

/** Who runs a site: the first part of its failure domain. Undefined where that is the region, so that no provider is told apart. */
export function providerOf({
  region,
  failureDomain,
}: {
  readonly region: string;
  readonly failureDomain: string;
}): string | undefined {
  const [first] = failureDomain.split('/');
  return first === region ? undefined : first;
}

/** A backup with only those of its copies that are left; they keep their numbers and names. */
export function leftOf<B extends Runbook['backups'][string]>(region: string, backup: B): B {
  const left = <C extends { readonly failureDomain: string }>(copies: readonly C[]) =>
    copies.filter((copy) => !lostWith(region, copy));
  return backup.driver === 'archive'
    ? { ...backup, copies: left(backup.copies) }
    : { ...backup, repositories: left(backup.repositories) };
}
