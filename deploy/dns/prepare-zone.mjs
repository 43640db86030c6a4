/**
 * node deploy/dns/prepare-zone.mjs ZONE FILE: finds or makes the hosted zone, and writes the part of the DNS server's
 * configuration that serves it. Where the API is comes from the usual AWS variables.
 */

import { renameSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import {
  CreateHostedZoneCommand,
  ListHostedZonesByNameCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';

const [zone, file, port = '53'] = process.argv.slice(2);
if (zone === undefined || file === undefined) throw new Error('usage: prepare-zone.mjs ZONE FILE [PORT]');

const client = new Route53Client({ requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000 } });
const { HostedZones = [] } = await client.send(
  new ListHostedZonesByNameCommand({ DNSName: zone, MaxItems: 1 }),
);
let id = HostedZones.find(({ Name }) => Name === `${zone}.`)?.Id;
if (id === undefined) {
  // The same reference again is refused: two that start at once make one zone.
  const made = await client.send(
    new CreateHostedZoneCommand({ Name: zone, CallerReference: `muster-${zone}` }),
  );
  id = made.HostedZone?.Id;
}
if (id === undefined) throw new Error(`The Route 53 API gave no identifier for the zone ${zone}.`);

const zoneId = id.replace('/hostedzone/', '');
writeFileSync(
  `${file}.new`,
  `${zone}:${port} {
    import served
    route53 ${zone}.:${zoneId} {
        refresh 1s
    }
}
`,
);
renameSync(`${file}.new`, file);
process.stdout.write(`zone ${zone} is ${zoneId}\n`);
