type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if the types are the same, `any` being no other. */
export declare function same<A, B>(...same: Same<A, B> extends true ? [] : [never]): void;
