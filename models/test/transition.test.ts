/** Tests of transition; its writer is at it. */
export {};
