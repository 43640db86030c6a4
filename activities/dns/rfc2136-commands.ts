import type { PrintedCommand } from '../../src/model/plan.js';
import type { Rfc2136Record } from '../../src/runbook/schema.js';
import type { RecordState } from './driver.js';
import { type PrintedChange, resolverCommands } from './printed-change.js';

/**
 * What `nsupdate` is told: nothing happens unless the record set is exactly `before`. The TTL is not compared.
 *
 * @param after left out: only the comparison is asked for and nothing is changed
 */
export function updateScript(record: Rfc2136Record, before: readonly string[], after?: RecordState): string {
  const [host = '', port = '53'] = record.server.split(':');
  const at = `${record.name}. IN ${record.type}`;
  const value = (text: string) => (record.type === 'CNAME' ? `${text.replace(/\.$/, '')}.` : text);
  const lines = [
    `server ${host} ${port}`,
    `zone ${record.zone}.`,
    ...before.map((one) => `prereq yxrrset ${at} ${value(one)}`),
    ...(after === undefined
      ? []
      : [
          `update delete ${record.name}. IN ${record.type}`,
          ...after.values.map(
            (one) => `update add ${record.name}. ${after.ttl} IN ${record.type} ${value(one)}`,
          ),
        ]),
    'send',
    'answer',
  ];
  return `${lines.join('\n')}\n`;
}

export function rfc2136Commands(record: Rfc2136Record, change: PrintedChange): readonly PrintedCommand[] {
  const [host = '', port = '53'] = record.server.split(':');
  const where = `anywhere that reaches ${record.server}`;
  const script = updateScript(record, change.before, { values: change.after, ttl: change.ttlAfter });
  return [
    {
      where,
      command: `dig @${host} -p ${port} +norecurse +noall +answer ${record.name} ${record.type}`,
      note: `Must show ${change.before.join(', ')}. Anything else: find out who changed it before going on.`,
    },
    {
      where,
      command: `nsupdate -v -k <file with key ${record.key.name}> <<'END'\n${script}END`,
      note: 'Refused with NXRRSET: the record was changed meanwhile; read it again. Never leave out the prereq lines.',
    },
    ...record.secondaries.map((server) => {
      const [secondary = '', itsPort = '53'] = server.split(':');
      return {
        where: `anywhere that reaches ${server}`,
        command: `dig @${secondary} -p ${itsPort} +norecurse +short ${record.name} ${record.type}`,
        note: `Repeat until it says ${change.after.join(', ')}.`,
      };
    }),
    ...resolverCommands(record, change),
  ];
}
