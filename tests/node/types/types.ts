// What programs in TypeScript may and may not write. It is compiled, and never run.
import {
  Approval, AuditRecord, Call, Decision, Denied, Identity, OrdainError, Pending, Policies, RefusedError, Runtime, Stopped, Withheld,
} from "ordain";

interface Refund {
  customer: string;
  amount: number;
}

export async function decide(): Promise<boolean> {
  const policies: Policies = await Policies.load(["policies/", new URL("file:///policies/more.policy")], { default: "allow" });
  const again: Policies = Policies.fromProgram(policies.save(), { native: false });
  const decision: Decision = again.decide({
    capability: "refund", input: { customer: "c", amount: 1 }, facts: { principal: "carol", resource: { id: "r" }, now: new Date() },
  });
  // @ts-expect-error: the facts have no such key
  again.decide({ capability: "refund", facts: { principle: "carol" } });
  // @ts-expect-error: the capability is missing
  again.decide({ input: {} });
  // @ts-expect-error: a decision does not change
  decision.effect = "allow";
  // @ts-expect-error: there is no such effect
  decision.effect === "permit";
  // @ts-expect-error: policies are loaded, not constructed
  new Policies();
  return decision.allowed && decision.obligations.every(({ kind }) => kind !== "redact");
}

export async function govern(): Promise<string> {
  const runtime = await Runtime.open({ texts: { "a.policy": "" }, agent: "support", attributes: { agent: { roles: ["banker"] } } });
  // @ts-expect-error: there is no such option
  await Runtime.open({ texts: "", dataBase: "state" });
  // @ts-expect-error: spans are in milliseconds
  await Runtime.open({ texts: "", approvalExpires: "1h" });

  const refund = runtime.capability("refund", async ({ amount }: Refund) => ({ message: `${amount}` }), {
    wait: 60_000,
    resource: ({ customer }) => customer,
  });
  const { message }: { message: string } = await refund({ customer: "c", amount: 1 });
  // @ts-expect-error: the amount is a number
  await refund({ customer: "c", amount: "1" });
  // @ts-expect-error: there is no second argument
  await refund({ customer: "c", amount: 1 }, 2);
  const name: string = refund.capability;

  const search = runtime.capability("search", (input: { text: string }, limit: number) => [input.text, limit] as const);
  const found: readonly [string, number] = await search({ text: "x" }, 3);
  // @ts-expect-error: the limit is missing
  await search({ text: "x" });

  const carol: Identity = runtime.identity({ principal: "carol" });
  const within: Promise<{ message: string }> = carol.run(() => refund({ customer: "c", amount: 1 }));
  const added: number = carol.run((a: number, b: number) => a + b, 1, 2);
  await refund.with({ identity: carol, signal: AbortSignal.abort(), risk: "high" })({ customer: "c", amount: 1 });

  const call: Call = await runtime.begin({ capability: "refund", input: {}, action: { trace_id: "t" }, identity: carol });
  const released: number = await call.finish(7);
  await call.fail(new Error());
  const waiting: Approval[] = await runtime.approvals.list("pending");
  await runtime.approvals.approve(waiting[0]!.id, { by: "alice" });
  // @ts-expect-error: somebody must answer
  await runtime.approvals.approve(waiting[0]!.id, {});
  const ids: number[] = [];
  for await (const record of runtime.audit({ kind: "intent", since: new Date() })) ids.push((record satisfies AuditRecord).id);
  await runtime.reload({ policies: "policies/" });
  const { auditAvailable }: { auditAvailable: boolean } = await runtime.health();
  await runtime.close();
  return `${message}${name}${found}${await within}${added}${released}${ids}${auditAvailable}`;
}

export function explain(error: unknown): string {
  if (error instanceof Pending) return error.approval + error.groups.join() + error.expires;
  if (error instanceof Denied) return error.rule + error.fault;
  if (error instanceof Withheld) return error.reason;
  if (error instanceof Stopped) return error.code + error.action + error.warnings.join();
  if (error instanceof RefusedError) return error.code;
  return error instanceof OrdainError ? error.message : "";
}
