// The types of the package. docs/node.md of the project explains all of it.
// Spans of time are in milliseconds. Every object of options refuses keys that are not named here.

/** A file or a directory: a path, or a file URL. */
export type PathLike = string | URL;
/** One text, or several by name. */
export type Texts = string | Record<string, string>;
export type Effect = "allow" | "deny" | "require_approval";
export type Resource = string | Record<string, unknown>;

/** Who acts. What is absent is as the runtime has it. */
export interface Who {
  agent?: string;
  principal?: string;
  tenant?: string;
  environment?: string;
  session?: string;
  /** What policies declare in `context`, by the names above: `{agent: {roles: ["banker"]}}`. */
  attributes?: Record<string, unknown>;
}

/** What the host knows about an action. */
export interface ActionFacts {
  type?: string;
  target?: string;
  description?: string;
  trace_id?: string;
  parent_id?: string;
}

// --- errors ---

/** Anything that Ordain throws, besides TypeError for arguments that make no sense. */
export class OrdainError extends Error {}

/** Policies cannot be read, or have errors. The message has every error with its place. */
export class PolicyError extends OrdainError {}

/** The runtime or its database refused something. */
export class RefusedError extends OrdainError {
  /** Stable: `not_pending`, `no_database`, `invalid_identity` and so on. */
  readonly code: string;
}

/** What is used was closed. */
export class ClosedError extends OrdainError {}

/** A governed call that has no output to give. Its subclasses say why. */
export abstract class Stopped extends OrdainError {
  readonly capability: string;
  /** Name of the rule that decided, as in `refunds.over_limit`; "" if no rule did. */
  readonly rule: string;
  /** For people. */
  readonly reason: string;
  /** `rule`, `default`, `invalid_input`, `missing_context`, `approval_rejected`, `audit_unavailable`, `pending` ... */
  readonly code: string;
  /** Id of the call in the record. */
  readonly action: string;
  /** The messages of `warn` rules. */
  readonly warnings: readonly string[];
}

/** The call did not run. */
export class Denied extends Stopped {
  /** What failed within a rule, with its place; "" without a fault. */
  readonly fault: string;
}

/** The call did not run yet, because it waits for approval. Make it again, with the same input, once that is given. */
export class Pending extends Stopped {
  /** Id of the request. */
  readonly approval: string;
  /** Who must approve. */
  readonly groups: readonly string[];
  /** When the request expires, in RFC 3339. */
  readonly expires: string;
}

/** The call ran and had its effect, but its output may not be seen. Do not retry it. */
export class Withheld extends Stopped {
  readonly fault: string;
}

// --- deciding ---

/** What a decision demands besides its effect. */
export interface Obligation {
  readonly kind: "redact" | "warn" | (string & {});
  readonly rule: string;
  readonly path?: string;
  readonly with?: unknown;
  readonly reason?: string;
}

/** The answer of the rules to one call. */
export class Decision {
  private constructor();
  readonly effect: Effect;
  readonly code: string;
  /** "" if no rule decided. */
  readonly rule: string;
  readonly reason: string;
  readonly fault: string;
  readonly policy: string;
  /** Every rule that matched. */
  readonly matched: readonly string[];
  /** Who must approve. */
  readonly groups: readonly string[];
  readonly obligations: readonly Obligation[];
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly needsApproval: boolean;
  /** The decision as JSON has it, with everything else. */
  readonly raw: Readonly<Record<string, unknown>>;
  toJSON(): Readonly<Record<string, unknown>>;
}

export interface DecideOptions {
  /** If no rule matches before a call; "deny" if absent. */
  default?: Effect;
  /** false: make no native code. */
  native?: boolean;
}

/** What the host knows. Nothing that an agent sent belongs here. */
export interface Facts {
  agent?: unknown;
  principal?: unknown;
  tenant?: unknown;
  environment?: unknown;
  session?: unknown;
  resource?: Resource;
  action?: Record<string, unknown>;
  risk?: string | number;
  now?: string | Date;
}

/** A call to decide. `input`, `output` and `metadata` are what an agent sent. */
export interface DecideEvent {
  capability: string;
  /** "after" if absent and there is an output. */
  stage?: "before" | "after";
  input?: unknown;
  output?: unknown;
  metadata?: Record<string, unknown>;
  facts?: Facts;
}

/** Policies that only decide: no runtime, no record, nobody is asked. */
export class Policies {
  private constructor();
  /** Compiles policy files, or directories that are searched for `*.policy`, off the event loop. Throws PolicyError. */
  static load(paths: PathLike | readonly PathLike[], options?: DecideOptions): Promise<Policies>;
  static loadSync(paths: PathLike | readonly PathLike[], options?: DecideOptions): Policies;
  /** Compiles one text, or several by name, off the event loop. Throws PolicyError. */
  static fromText(texts: Texts, options?: DecideOptions): Promise<Policies>;
  static fromTextSync(texts: Texts, options?: DecideOptions): Policies;
  /** Loads what `save` gave. Any bytes are safe to pass. */
  static fromProgram(program: Uint8Array, options?: DecideOptions): Policies;
  /** Decides one call, on this thread, within microseconds. */
  decide(event: DecideEvent): Decision;
  /** The compiled policies; loading them needs no compiler's time. */
  save(): Buffer;
  close(): void;
}

// --- the runtime ---

/** Policies by their paths or by their texts, one of the two. */
export interface Sources {
  policies?: PathLike | readonly PathLike[];
  texts?: Texts;
}

export interface RuntimeOptions extends Sources, Who {
  /** The directory of the record and the approvals; without it, nothing is recorded. */
  database?: PathLike;
  mode?: "enforce" | "observe";
  failMode?: "closed" | "open";
  durability?: "sync" | "group" | "async";
  /** If no rule matches before a call; "deny" if absent. */
  default?: Effect;
  /** How many steps each condition may spend. */
  budget?: number;
  /** How long requests live whose rules have no `expires`; an hour if absent. */
  approvalExpires?: number;
  /** A file with the private key that signs approvals given through this runtime. */
  operatorKey?: PathLike;
  /** Public keys; with them only signed approvals count. */
  trustedKeys?: readonly string[];
  /** A file with the private key that signs checkpoints of the record. */
  auditKey?: PathLike;
  checkpointFile?: PathLike;
  /** false: make no native code. */
  native?: boolean;
}

/** Who acts. Make it once for each request, and put it in force with `run`. */
export class Identity {
  private constructor();
  /** Calls a function; the identity is in force within it, and within what it awaits. */
  run<A extends unknown[], R>(work: (...args: A) => R, ...args: A): R;
  /** Puts the identity in force for the rest of what runs here, as for the rest of a request in a middleware. */
  enter(): void;
}

/** What a call is about, besides its capability. */
export interface About {
  /** What the agent sent; `{}` if absent. */
  input?: unknown;
  metadata?: Record<string, unknown>;
  identity?: Identity;
  resource?: Resource;
  action?: ActionFacts;
  risk?: string | number;
}

export interface CallEvent extends About {
  capability: string;
}

export interface EvaluateEvent extends CallEvent {
  stage?: "before" | "after";
  output?: unknown;
}

/** A call that has begun: execute it once, with `input`, and say how it ended. */
export class Call {
  private constructor();
  readonly capability: string;
  /** The input to execute the call with: what remained after the rules redacted it. */
  readonly input: any;
  /** Id of the call in the record. */
  readonly action: string;
  readonly warnings: readonly string[];
  /** Under observe: what enforce would have done, or "". */
  readonly would: string;
  readonly ended: boolean;
  /** Ends the call with the output of the tool. Gives what may be passed on. Throws Withheld. */
  finish<O>(output: O): Promise<O>;
  finish(): Promise<null>;
  /** Ends the call with the failure of the tool. */
  fail(error: unknown): Promise<void>;
  /** Ends a call that was not executed after all, and had no effect. */
  giveUp(why: string): Promise<void>;
}

/** The answer about an action that the host executes by itself, unseen. */
export class Authorization {
  private constructor();
  readonly state: "authorized" | "denied" | "pending";
  readonly authorized: boolean;
  /** The rules' own; under observe it may deny although the state is "authorized". */
  readonly decision: Decision;
  /** What to execute the action with, after the rules redacted it; undefined unless it is authorized. */
  readonly input: any;
  readonly rule: string;
  readonly reason: string;
  readonly code: string;
  /** Id of the approval that it used, or for which it waits. */
  readonly approval: string;
  /** Id of the grant that was used instead of an approval. */
  readonly grant: string;
  readonly action: string;
  readonly warnings: readonly string[];
  readonly would: string;
}

/** A request for approval, as `ordain approvals list --json` prints it. */
export interface Approval {
  readonly id: string;
  readonly state: "pending" | "approved" | "rejected" | "expired" | "consumed" | (string & {});
  readonly capability: string;
  readonly input: any;
  readonly agent: string;
  readonly principal: string;
  readonly rule: string;
  readonly reason: string;
  readonly groups: readonly string[];
  /** The groups whose approval is still missing. */
  readonly missing: readonly string[];
  readonly expires: string | null;
  readonly [key: string]: unknown;
}

export interface Answer {
  /** Who answers. */
  by: string;
  /** For which group, if the rules name several. */
  group?: string;
  note?: string;
}

/** The requests for approval of one runtime. */
export class Approvals {
  private constructor();
  /** The requests in this state, or all; oldest first. */
  list(state?: "pending" | "approved" | "rejected" | "expired" | "consumed" | "earlier"): Promise<Approval[]>;
  /** One request; the beginning of its id suffices. */
  show(id: string): Promise<Approval>;
  approve(id: string, answer: Answer): Promise<Approval>;
  /** Rejects. One rejection suffices. */
  reject(id: string, answer: Answer): Promise<Approval>;
  /** Waits until the request is answered or has expired. Rejects with a TimeoutError, or the reason of the signal. */
  wait(id: string, options?: { timeout?: number; signal?: AbortSignal }): Promise<Approval>;
}

export interface CapabilityOptions<I, Rest extends unknown[]> {
  /** How long a call that needs approval waits for it before it throws Pending; 0 if absent. */
  wait?: number;
  /** What the call acts on: a text, an object, or a function of the same arguments that gives either. */
  resource?: Resource | ((input: I, ...rest: Rest) => Resource | undefined);
}

/** How some calls of a capability differ. */
export interface CallOptions extends Omit<About, "input"> {
  wait?: number;
  /** Ends the wait for an approval, and keeps a call from running that has not run yet. */
  signal?: AbortSignal;
}

/** A function whose calls are governed. Its first argument is the input; it passes the others on. */
export interface Capability<I, O, Rest extends unknown[]> {
  (input: I, ...rest: Rest): Promise<O>;
  readonly capability: string;
  /** The same function for calls that differ. */
  with(options: CallOptions): (input: I, ...rest: Rest) => Promise<O>;
}

export interface AuditFilter {
  agent?: string;
  principal?: string;
  tenant?: string;
  capability?: string;
  session?: string;
  action?: string;
  rule?: string;
  kind?: "decision" | "intent" | "outcome" | (string & {});
  effect?: string;
  since?: Date | string;
  until?: Date | string;
  /** The id from which to read. */
  first?: number;
  /** How many records are read at a time. */
  batch?: number;
}

/** One record, as `ordain audit export` writes it. */
export interface AuditRecord {
  readonly id: number;
  readonly kind: string;
  readonly [key: string]: any;
}

export interface Verification {
  readonly ok: boolean;
  readonly records: number;
  readonly chains: number;
  readonly checkpoints: number;
  readonly badRecord: number;
  readonly problem: string;
}

export interface Health {
  readonly auditAvailable: boolean;
  readonly auditError: string;
  readonly recordsWritten: number;
  readonly recordsLost: number;
  readonly queueDepth: number;
  readonly checkpointError: string;
  /** Digest of the policies in force. */
  readonly program: string;
}

/** Governs calls: decides before each, asks people where a rule says so, records, and decides on the output. */
export class Runtime {
  private constructor();
  /** Opens a runtime over policies. Throws PolicyError or RefusedError. */
  static open(options: RuntimeOptions): Promise<Runtime>;
  readonly approvals: Approvals;
  /** Makes an identity; what it does not say is as the runtime has it. */
  identity(who: Who): Identity;
  /** The identity in force here; undefined for the runtime's own. */
  currentIdentity(): Identity | undefined;
  /** Makes a function a governed call. Calls throw Denied, Pending or Withheld, or what the function throws. */
  capability<I, O, Rest extends unknown[] = []>(
    name: string,
    work: (input: I, ...rest: Rest) => O,
    options?: CapabilityOptions<I, Rest>,
  ): Capability<I, Awaited<O>, Rest>;
  /** Begins a call that the caller executes. Throws Denied or Pending. */
  begin(call: CallEvent): Promise<Call>;
  /** Decides about an action that the caller executes unseen, asks for approval, and records the decision. */
  authorize(call: CallEvent): Promise<Authorization>;
  /** Decides, and does nothing else. */
  evaluate(event: EvaluateEvent): Promise<Decision>;
  /** Replaces the policies. Policies with errors change nothing. Throws PolicyError. */
  reload(sources: Sources): Promise<void>;
  /** The warnings about the policies in force, for people. */
  warnings(): Promise<string>;
  /** The records that match, oldest first. */
  audit(filter?: AuditFilter): AsyncIterableIterator<AuditRecord>;
  /** Recomputes the chain of the record. */
  verify(): Promise<Verification>;
  /** Waits until every record that was taken so far is on disk. */
  flush(): Promise<void>;
  health(): Promise<Health>;
  /** What the runtime has counted, as OpenMetrics text. */
  metrics(): Promise<string>;
  /** Lets no further call begin, and writes what is queued. Calls that have begun may still end. */
  close(): Promise<void>;
}
