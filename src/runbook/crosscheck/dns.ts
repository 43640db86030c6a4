import { isIPv4, isIPv6 } from 'node:net';
import type { DnsRecord, Runbook } from '../schema.js';
import type { Problems } from './report.js';

const kinds: Readonly<
  Record<DnsRecord['type'], { readonly fits: (value: string) => boolean; readonly what: string }>
> = {
  A: { fits: isIPv4, what: 'an IPv4 address, because the type is A' },
  AAAA: { fits: isIPv6, what: 'an IPv6 address, because the type is AAAA' },
  CNAME: {
    fits: (value) => /^[\w-]+(\.[\w-]+)*\.?$/.test(value) && !isIPv4(value),
    what: 'a host name, because the type is CNAME',
  },
};

export function checkDns(runbook: Runbook, problems: Problems): void {
  const sites = Object.keys(runbook.sites);
  const records = Object.entries(runbook.dns);
  problems.mustDiffer(
    records.map(([name, record]) => ({
      path: ['dns', name, 'name'],
      value: `${record.name} ${record.type}`,
    })),
    'a record',
  );
  for (const [name, record] of records) {
    const path = ['dns', name] as const;
    if (record.recoveryTtl > record.ttl) {
      problems.add([...path, 'recoveryTtl'], `at most the ttl of normal operation, ${record.ttl}`);
    }
    if (
      record.driver === 'rfc2136' &&
      !`.${record.name}`.toLowerCase().endsWith(`.${record.zone}`.toLowerCase())
    ) {
      problems.add([...path, 'name'], `a DNS name in the zone ${record.zone}`);
    }
    checkRouting(record, path, problems);
    for (const [site, values] of Object.entries(record.values)) {
      problems.mustBeOneOf([...path, 'values', site], site, sites, 'a site of sites');
      values.forEach((value, index) => {
        const { fits, what } = kinds[record.type];
        if (!fits(value)) problems.add([...path, 'values', site, index], what);
      });
      if (record.type === 'CNAME' && values.length > 1) {
        problems.add(
          [...path, 'values', site],
          'one host name: a CNAME has a single target',
          `${values.length} values`,
        );
      }
    }
  }
}

/** With a routing policy each site has exactly one set, and no two share one. */
function checkRouting(record: DnsRecord, path: readonly ['dns', string], problems: Problems): void {
  if (record.driver !== 'route53' || record.routing === undefined) return;
  const { sets } = record.routing;
  const place = [...path, 'routing', 'sets'] as const;
  const sites = Object.keys(record.values);
  for (const site of Object.keys(sets)) {
    problems.mustBeOneOf([...place, site], site, sites, 'a site of values');
  }
  const without = sites.filter((site) => !Object.hasOwn(sets, site));
  if (without.length > 0) problems.add(place, `a set for each site of values, ${without.join(', ')} too`);
  problems.mustDiffer(
    Object.entries(sets).map(([site, value]) => ({ path: [...place, site], value })),
    'a set',
  );
}
