/** RFC 3454, C.1.2: other spaces, which become a plain one. */
const OTHER_SPACES = /[\u{a0}\u{1680}\u{2000}-\u{200b}\u{202f}\u{205f}\u{3000}]/gu

/** RFC 3454, B.1: soft hyphens, joiners and variation selectors, which nobody sees, and which are left out. */
const INVISIBLE = /[\u{34f}\u{ad}\u{1806}\u{180b}-\u{180d}\u{200b}-\u{200d}\u{2060}\u{feff}]|[\u{fe00}-\u{fe0f}]/gu

/**
 * RFC 3454, what RFC 4013 prohibits: controls (C.2), private use (C.3), non-characters (C.4), surrogates (C.5), what is no plain text (C.6,
 * C.7), what changes how other text is shown (C.8), tags (C.9).
 */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u{6dd}\u{70f}\u{180e}\u{200c}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{2063}\u{206a}-\u{206f}]|[\u{2ff0}-\u{2ffb}\u{feff}\u{fff9}-\u{fffd}\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]|[\u{340}\u{341}]/u

/**
 * Prepares a user name or password, so that the same text typed on two keyboards gives the same bytes: RFC 4013 (SASLprep), but for its rule
 * on text of both directions, which prevents no mistake here, and with the normalization of today's Unicode.
 *
 * @returns undefined if it has a prohibited character
 */
export function saslPrep(text: string): string | undefined {
  const prepared = text.replace(OTHER_SPACES, ' ').replace(INVISIBLE, '').normalize('NFKC')
  return PROHIBITED.test(prepared) ? undefined : prepared
}
