/**
 * Remembers what a function makes of each object, for as long as the object lives: what depends on the configuration
 * alone is derived once, and not for every pod.
 *
 * @param derive gives the same for the same object; from then on nobody changes that object, or what was made of it
 */
export function once<From extends object, To>(derive: (from: From) => To): (from: From) => To {
  const known = new WeakMap<From, { readonly to: To }>();
  return (from) => {
    const found = known.get(from);
    if (found) return found.to;
    const to = derive(from);
    known.set(from, { to });
    return to;
  };
}
