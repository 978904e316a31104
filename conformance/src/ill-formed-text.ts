/** Bytes, in hexadecimal, that no UTF-8 decoder may let through ([3.1.1 1.5.3], [5.0 1.5.4]). */
export const ILL_FORMED: readonly { readonly what: string; readonly hex: string }[] = [
  { what: 'a byte that begins nothing', hex: '61ff' },
  { what: 'a lone continuation byte', hex: '6180' },
  { what: 'a sequence cut short', hex: '61c3' },
  { what: 'an overlong "/"', hex: 'c0af' },
  { what: 'an overlong NUL', hex: 'c080' },
  { what: 'the first surrogate, U+D800', hex: 'eda080' },
  { what: 'the last surrogate, U+DFFF', hex: 'edbfbf' },
  { what: 'a surrogate pair (CESU-8)', hex: 'eda0bdedb880' },
  { what: 'a character beyond U+10FFFF', hex: 'f4908080' }
]
