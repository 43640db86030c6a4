import type { ObjectStore } from './schema.js';

/** The policy of the bucket in use: `{{bucket}}` in it is the bucket's name, which another one takes over after a disaster. */
export function policyOf({ policy, primary }: Pick<ObjectStore, 'policy' | 'primary'>): string | undefined {
  return policy?.replaceAll('{{bucket}}', primary.bucket);
}
