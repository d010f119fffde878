/** The levels of Pod Security that a namespace can enforce (kubernetes.io/docs, Pod Security Standards). */
export const podSecurityLevels = ["privileged", "baseline", "restricted"] as const;
export type PodSecurity = (typeof podSecurityLevels)[number];
