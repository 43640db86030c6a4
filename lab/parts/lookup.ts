import { loadParts } from '../../src/parts.js';

/** Absolute paths of the programs the lab is made of. */
export interface Programs {
  readonly temporal: string;
  readonly versitygw: string;
  readonly coredns: string;
  readonly ministack: string;
  readonly pgbackrest: string;
  readonly openssl: string;
  /** Folder with postgres, initdb, pg_ctl and the rest of PostgreSQL's programs. */
  readonly postgresBin: string;
  /** Versions of what writes into a seed. */
  readonly versions: { readonly postgresql: string; readonly pgbackrest: string; readonly versitygw: string };
}

/**
 * The programs as the set-up found them.
 *
 * @throws PermanentError naming the one that is missing and how it is installed
 */
export function findPrograms(): Programs {
  const parts = loadParts();
  return {
    temporal: parts.temporal.path,
    versitygw: parts.versitygw.path,
    coredns: parts.coredns.path,
    ministack: parts.ministack.path,
    pgbackrest: parts.pgbackrest.path,
    openssl: parts.openssl.path,
    postgresBin: parts.postgresql.extra.binDir,
    versions: {
      postgresql: parts.postgresql.version,
      pgbackrest: parts.pgbackrest.version,
      versitygw: parts.versitygw.version,
    },
  };
}
