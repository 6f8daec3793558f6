/** Tests of schemas; its writer is at it. */
export {};
