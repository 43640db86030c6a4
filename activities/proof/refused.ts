/** A proof that is not good: said to its sender, never thrown out of the activity. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** How somebody gets to a statement that can be signed; ends the refusals that ask for another signature. */
export const SIGN_AGAIN =
  '"muster statement" prints the text to sign and the commands; send the new proof within 5 min';
