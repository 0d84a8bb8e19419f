type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if the two types are identical; `any` is identical only to itself. */
export declare function same<A, B>(...same: Same<A, B> extends true ? [] : [never]): void;
