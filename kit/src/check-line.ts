/** How a check reads in a list of them. */
export function checkLine(passed: boolean, what: string, more = ''): string {
  return `${passed ? 'ok  ' : 'FAIL'}  ${what}${more === '' ? '' : `: ${more}`}`;
}
