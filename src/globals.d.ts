/** The version from package.json, inserted by the build. */
declare const ARC_PRIMER_VERSION: string;

declare module "*.sh" {
  const text: string;
  export default text;
}
