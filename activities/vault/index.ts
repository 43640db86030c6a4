export { type Actor, adoptionsOf, recordAdoption, requireActing } from './adoption.js';
export { type Claim, claimKey, type Generation, type PromotionClaim, readClaims } from './claims.js';
export {
  acquireFencingToken,
  type Claimant,
  releaseFencingToken,
  replacedByOther,
  requireFencingToken,
} from './fencing.js';
export {
  type PromotionRecord,
  type PromotionToken,
  readPromotion,
  readPromotions,
  recordPromotionDone,
  recoveringRun,
  takePromotionToken,
} from './promotion.js';
export { type Vault, withVault } from './s3.js';
