/** The version in package.json, put in by the build. */
declare const ARC_PRIMER_VERSION: string;

declare module "*.sh" {
  const text: string;
  export default text;
}
