/** What may be shown on a terminal of words that somebody else wrote: no word may move the cursor, break the line or turn the direction. */

/** What is not to be shown; a tab is. */
export const unprintable = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A dot for each that is not to be shown. */
export const printable = (text: string): string => text.replaceAll(new RegExp(unprintable, 'gu'), '·');
