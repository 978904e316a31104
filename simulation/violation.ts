/** The broker did what it must not, or did not what it must. */
export class Violation extends Error {
  override readonly name = 'Violation'
}
