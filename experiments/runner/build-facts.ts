// What this program was built from. The build writes it into the bundle, so that an installed package knows it too.

export interface BuildFacts {
  /** The commit, and whether the sources were exactly its own. `unknown` and null where they were built outside a checkout. */
  readonly source: { readonly revision: string; readonly clean: boolean | null };
  /** Checksum of package-lock.json: the versions of all packages. */
  readonly lock: string;
}

/** Put in place of the name by .config/bundle.mjs. */
declare const WGRAD_BUILD: BuildFacts;

export const buildFacts: BuildFacts = WGRAD_BUILD;
