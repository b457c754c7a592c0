"""What the tests of the Python package share: policies, and runtimes that are deleted afterwards."""

import contextlib
import unittest

from ordain.testing import temporary_runtime

POLICIES = """
package shop;

capability refund {
  type "tool"; risk high; effect irreversible;
  input { customer: string, amount: double, note: optional(string), card: optional(string) }
  output open { message: string, iban: optional(string) }
}
capability look { type "tool"; risk low; input open { n: int } }
capability mine { type "tool"; risk low; }
capability tag { type "tool"; risk low; input { label: string } }

policy refunds on before refund {
  deny negative when input.amount <= 0.0 because "the amount must be positive";
  require_approval large when input.amount > 500.0 from "finance" expires 30m because "a refund above 500";
  redact card input.card when has(input.card) with "***";
  warn round when input.amount == 100.0 because "a round sum";
  allow;
}
policy looks on before look { deny broken when 10 / input.n > 100; allow; }
policy own on before mine { allow carol when principal.id == "carol"; }
policy tags on before tag { allow fruit when resource.id == "fruit:" + input.label; }
policy leaks on after refund {
  deny key_leak when output.message.contains("AKIA") because "a key in the output";
  redact iban output.iban when has(output.iban) with "***";
}
"""


class Case(unittest.TestCase):
    """A test with a runtime that it opens when it needs one."""

    def open(self, texts=POLICIES, **options):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(temporary_runtime(texts=texts, agent="support", **options))

    def kinds(self, runtime, **wanted):
        """The kinds of the records that match."""
        return [record["kind"] for record in runtime.audit(**wanted)]
