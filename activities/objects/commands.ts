import type { PrintedCommand } from '../../src/model/plan.js';
import { policyOf } from '../../src/runbook/bucket-policy.js';
import type { Bucket, ObjectStore } from '../../src/runbook/schema.js';

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
