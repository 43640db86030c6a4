/** Who is told of a notice: the runbook's channels that want its kind, and the people whom it is for. Pure. */
import type { NoticeKind, Receiver } from '../../src/model/notice.js';
import type { Channel, Person, Runbook } from '../../src/runbook/schema.js';

export type Roster = Pick<Runbook, 'people' | 'notifications'>;

/**
 * One receiver for each that can fail by itself: mail goes to each address on its own, so that one that is refused keeps
 * nothing from the others.
 *
 * @param to names on the roster, in the order in which they are to be told
 */
export function receiversOf(
  { people, notifications }: Roster,
  kind: NoticeKind,
  to: readonly string[],
): Receiver[] {
  const addressed = to.flatMap((name) => people.find((person) => person.name === name) ?? []);
  return channelsFor(notifications, kind).flatMap(([name, channel]) => receiversBy(name, channel, addressed));
}

function channelsFor(channels: Runbook['notifications'] | undefined, kind: NoticeKind): [string, Channel][] {
  // Absent in runs that were begun before there were channels.
  return Object.entries(channels ?? {}).filter(
    ([, { events }]) => kind === 'test' || events === undefined || events.includes(kind),
  );
}

function receiversBy(name: string, channel: Channel, addressed: readonly Person[]): Receiver[] {
  const contacts = (scheme: string) => [
    ...new Set(addressed.flatMap((person) => person.contacts.filter((each) => each.startsWith(scheme)))),
  ];
  switch (channel.driver) {
    case 'smtp': {
      const people = contacts('mailto:').map((contact) => ({
        address: contact.slice('mailto:'.length),
        contact,
      }));
      return [
        ...channel.to.map((address) => ({
          name: `${name} to ${address}`,
          channel: { ...channel, to: [address] },
          contacts: [],
        })),
        ...people
          .filter(({ address }) => !channel.to.includes(address))
          .map(({ address, contact }) => ({
            name: `${name} to ${address}`,
            channel: { ...channel, to: [] },
            contacts: [contact],
          })),
      ];
    }
    case 'slack':
      return [{ name, channel, contacts: contacts('slack:') }];
    default:
      return [{ name, channel, contacts: [] }];
  }
}
