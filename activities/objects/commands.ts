import type { PrintedCommand } from '../../src/model/plan.js';
import { policyOf } from '../../src/runbook/bucket-policy.js';
import type { Bucket, ObjectStore } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

const where = 'anywhere that reaches the object stores';

/** Files deleted by mistake brought back by hand. */
export function restoreObjectsCommands({
  store,
}: {
  readonly store: ObjectStore;
}): readonly PrintedCommand[] {
  const { bucket } = store.primary;
  return [
    {
      where,
      command: aws(store.primary, `list-object-versions --bucket ${bucket} --prefix <prefix>`),
      note: 'For each file: the newest version from before the damage. Keep its VersionId.',
    },
    {
      where,
      command: aws(
        store.primary,
        `copy-object --bucket ${bucket} --key <key> --copy-source '${bucket}/<key, URL-encoded>?versionId=<VersionId>' --metadata-directive COPY`,
      ),
      note: 'Copy the version; delete nothing. Then compare ContentLength and ETag with head-object.',
    },
  ];
}

/** A lost bucket made anew and filled by hand. */
export function bucketCommands({ store }: { readonly store: ObjectStore }): readonly PrintedCommand[] {
  const { primary, secondary, cors } = store;
  const policy = policyOf(store);
  const { bucket, region } = primary;
  const rules = cors.map(({ origins, methods, headers, expose, maxAge }) => ({
    AllowedOrigins: origins,
    AllowedMethods: methods,
    ...(headers.length === 0 ? {} : { AllowedHeaders: headers }),
    ...(expose.length === 0 ? {} : { ExposeHeaders: expose }),
    ...(maxAge === undefined ? {} : { MaxAgeSeconds: maxAge }),
  }));
  return [
    {
      where,
      command: aws(
        primary,
        `create-bucket --bucket ${bucket} --create-bucket-configuration LocationConstraint=${region}`,
      ),
    },
    {
      where,
      command: aws(
        primary,
        `put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`,
      ),
      note: 'Before the first file is written.',
    },
    ...(rules.length === 0
      ? []
      : [
          {
            where,
            command: aws(
              primary,
              `put-bucket-cors --bucket ${bucket} --cors-configuration '${JSON.stringify({ CORSRules: rules })}'`,
            ),
          },
        ]),
    ...(policy === undefined
      ? []
      : [{ where, command: aws(primary, `put-bucket-policy --bucket ${bucket} --policy '${policy}'`) }]),
    ...(secondary === undefined
      ? []
      : [
          {
            where,
            command: `aws s3 sync s3://${secondary.bucket} s3://${bucket} --source-region ${secondary.region} --region ${region}`,
            note: 'Both buckets must be reachable under one endpoint; else sync to a disk and from there. Never with --delete.',
          },
        ]),
  ];
}

function aws({ endpoint }: Bucket, rest: string): string {
  return `aws s3api ${rest}${endpoint === undefined ? '' : ` --endpoint-url ${endpoint}`}`;
}

/** Seeing by hand what is lost of the files. */
export function lossCommands({ store }: { readonly store: ObjectStore }): readonly PrintedCommand[] {
  const { primary, secondary } = store;
  return [
    {
      where,
      command: aws(primary, `head-bucket --bucket ${primary.bucket}`),
      note: '404: the bucket is gone, and everything comes back from the secondary one. 403 or no answer proves nothing.',
    },
    {
      where,
      command: aws(primary, `list-object-versions --bucket ${primary.bucket} --prefix <prefix>`),
      note: 'DeleteMarkers since the moment were deleted; keys whose latest version is younger than the moment were overwritten.',
    },
    ...(secondary === undefined
      ? []
      : [
          {
            where,
            command: aws(
              secondary,
              `list-objects-v2 --bucket ${secondary.bucket} --query 'length(Contents)'`,
            ),
            note: 'What a lost bucket can be filled with.',
          },
        ]),
  ];
}

/** Filling one bucket from the other by hand. */
export function syncCommands({
  from,
  to,
}: {
  readonly from: Bucket;
  readonly to: Bucket;
}): readonly PrintedCommand[] {
  return [
    {
      where,
      command: `aws s3 sync s3://${from.bucket} s3://${to.bucket} --source-region ${from.region} --region ${to.region}`,
      note: 'Both buckets must be reachable under one endpoint; else sync to a disk and from there. Never with --delete.',
    },
  ];
}

/** Holding rows and files against each other by hand. */
export function reconcileCommands({
  store,
  database,
}: {
  readonly store: ObjectStore;
  readonly database: DatabaseAt;
}): readonly PrintedCommand[] {
  const { primary, references } = store;
  if (references === undefined) return [];
  const { host, port, admin, database: name } = database.postgres;
  return [
    {
      where,
      command: `psql -h ${host} -p ${port} -U ${admin.user} -d ${name} -Atc 'SELECT ${references.key} FROM ${references.table}' | LC_ALL=C sort -u > rows`,
    },
    {
      where,
      command: `${aws(primary, `list-objects-v2 --bucket ${primary.bucket} --query 'Contents[].[Key]' --output text`)} | LC_ALL=C sort -u > files`,
    },
    {
      where,
      command: 'comm -3 rows files',
      note: 'At the left: rows whose file is not there. Indented: files that no row names; they may be younger than the rows.',
    },
  ];
}
