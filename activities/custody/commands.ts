import type { PrintedCommand } from '../../src/model/plan.js';
import type { Anchor } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

const until = (evidence: Anchor) => `<now and ${Math.round(evidence.lockFor / 86_400_000)} days, ISO 8601>`;

function put(evidence: Anchor, key: string, body: string): string {
  const { bucket, endpoint, region, caFile } = evidence;
  return [
    `aws s3api put-object --bucket ${bucket} --region ${region}`,
    ...(endpoint === undefined ? [] : [`--endpoint-url ${endpoint}`]),
    ...(caFile === undefined ? [] : [`--ca-bundle ${caFile}`]),
    `--key evidence/<system>/<run>/${key} --body ${body} --checksum-algorithm SHA256`,
    `--object-lock-mode COMPLIANCE --object-lock-retain-until-date ${until(evidence)}`,
  ].join(' ');
}

/** What the running server knows, kept by hand. */
export function captureCommands(damaged: DatabaseAt, evidence: Anchor): readonly PrintedCommand[] {
  const { host, port, database, admin } = damaged.postgres;
  const where = 'anywhere that reaches the breached primary and the bucket of the evidence';
  return [
    {
      where,
      command: `for of in pg_stat_activity pg_stat_replication pg_roles pg_auth_members pg_hba_file_rules pg_settings pg_proc pg_trigger pg_event_trigger pg_extension; do echo "-- $of"; psql -h ${host} -p ${port} -U ${admin.user} -d ${database} --csv -c "SELECT * FROM $of"; done > state.csv && sha256sum state.csv`,
      note: 'Before anything is stopped: it ends with the processes. Write the hash, the time and your name down.',
    },
    { where, command: put(evidence, 'state.csv', 'state.csv') },
  ];
}

/** The quarantined cluster, kept by hand. */
export function evidenceCommands(
  damaged: DatabaseAt,
  quarantineDirectory: string,
  evidence: Anchor,
): readonly PrintedCommand[] {
  const where = `on ${damaged.postgres.host}, as ${damaged.postgres.service.account}`;
  const data = `${quarantineDirectory}/<run>/data`;
  return [
    {
      where,
      command: `cd ${data} && find . -type f -print0 | sort -z | xargs -0 sha256sum > ../files.sha256`,
      note: 'The cluster is stopped; nothing in it is changed.',
    },
    {
      where,
      command: `tar -C ${data} --sort=name -czf - . | split -b 64M - ../cluster.tar.gz. && sha256sum ../cluster.tar.gz.* ../files.sha256 ${damaged.postgres.service.logFile} > ../custody.sha256`,
      note: 'Sign custody.sha256 with who took it, from where and when.',
    },
    { where, command: put(evidence, '<name>', '<each of these files>') },
  ];
}
