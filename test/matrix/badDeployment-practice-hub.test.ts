/** Practice Hub's new release is bad, and has migrated the database: the one before comes back, and no client and no document is lost. */
import { documentsAreRight, handedIn, moreHandedIn } from './support/documents.js';
import { badReleaseCell } from './support/release.js';

badReleaseCell({
  system: 'practice-hub',
  by: 'technical-lead',
  schema: 'hub',
  table: 'clients',
  column: 'risk',
  breaks: '/clients/00000000-0000-4000-8000-000000000001/kyc',
  migrations: { stay: ['0007_signatures'], goes: '0008_risk' },
  releases: ['4.1.0', '4.2.0', '4.3.0', '4.2.0'],
  functions: [
    'A client can be looked up',
    'What is known of who a client is can be read',
    'An accountant logs in',
    'A client hands a document in, and it can be opened again',
  ],
  also: {
    'keeps every document, and takes new ones': async (recovered) => {
      await moreHandedIn(recovered, 1);
      const place = { site: 'west', region: 'west' } as const;
      expect(await documentsAreRight(recovered, place, undefined, await handedIn(recovered))).toEqual([]);
    },
  },
});
