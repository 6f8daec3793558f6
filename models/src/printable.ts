/** What may be shown on a terminal of words that somebody else wrote: no word may move the cursor, break the line or turn the direction. */

/** What is not to be shown; a tab is. */
export const unprintable = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
