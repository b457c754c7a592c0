// These tests cover what makes two inputs the same call: an approval is bound to declared values, not to their
// spelling.
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;

constexpr const char* kSpellings = R"(
package spellings;
capability pay {
  input open {
    to: string, amount: double, n: optional(int), u: optional(uint), when: optional(timestamp),
    wait: optional(duration), raw: optional(bytes), note: optional(string), any: optional(dyn),
    lines: optional(list({ price: double, at: optional(timestamp) })),
    limits: optional(map(string, double)),
    fee: optional(double), box: optional({ fee: double, size: double })
  }
}
capability free { input open { } }
policy p on before pay {
  redact fee input.fee     when has(input.fee) with "***";
  redact box input.box.fee when has(input.box) with "***";
  require_approval human from "ops" expires 30m;
}
policy q on before free, undeclared { require_approval human; }
)";

struct Spelled : Bench {
  Runtime runtime = open(testing::compile_text(kSpellings));

  /// @returns the request for the payment with these further fields
  std::string ask(const std::string& fields, const char* capability = "pay") {
    const std::string all = std::string_view(capability) == "pay" && fields.find("\"amount\"") == std::string::npos
                                ? R"("to": "a", "amount": 1)" + std::string(fields.empty() ? "" : ", ") + fields
                                : fields;
    auto outcome = runtime.call(capability, json("{" + all + "}"), tool());
    EXPECT_NE(outcome.pending(), nullptr) << all << ": " << outcome.describe();
    return outcome.pending() != nullptr ? outcome.pending()->approval_id : "";
  }
};

struct Spellings {
  const char* what;
  std::vector<std::string> fields;
};

TEST(Respelled, SpellingsOfOneCallShareOneRequest) {
  const Spellings cases[] = {
      {"a double",
       {R"("to": "a", "amount": 600)", R"("to": "a", "amount": 600.0)", R"("to": "a", "amount": 6e2)",
        R"("amount": 600, "to": "\u0061")"}},
      {"zero", {R"("to": "a", "amount": 0)", R"("to": "a", "amount": -0.0)", R"("to": "a", "amount": 0.0)"}},
      {"an int", {R"("n": 5)", R"("n": 5.0)", R"("n": 50e-1)"}},
      {"a uint", {R"("u": 5)", R"("u": 5.0)"}},
      {"an optional", {"", R"("note": null)", R"("n": null, "when": null)", R"("lines": null, "any": null)"}},
      {"an instant",
       {R"("when": "2026-01-01T00:00:00Z")", R"("when": "2026-01-01T01:00:00+01:00")",
        R"("when": "2026-01-01T00:00:00.000Z")"}},
      {"a duration", {R"("wait": "60s")", R"("wait": "1m")"}},
      {"within a list",
       {R"("lines": [{"price": 1}, {"price": 2}])", R"("lines": [{"price": 1.0, "at": null}, {"price": 2.0}])"}},
      {"an instant within a list",
       {R"("lines": [{"price": 1, "at": "2026-01-01T00:00:00Z"}])",
        R"("lines": [{"at": "2026-01-01T01:00:00+01:00", "price": 1.0}])"}},
      {"within a map", {R"("limits": {"a": 1, "b": 2})", R"("limits": {"b": 2.0, "a": 1.0})"}},
      {"the order of keys within undeclared fields", {R"("x": {"a": 1, "b": [2]})", R"("x": {"b": [2], "a": 1})"}},
      {"zero within undeclared fields", {R"("x": [{"y": 0.0}])", R"("x": [{"y": -0.0}])"}},
      {"what is redacted", {R"("fee": 1)", R"("fee": 2.5)"}},
      {"beside what is redacted", {R"("fee": 1, "n": 5)", R"("n": 5.0, "fee": 7)"}},
      {"beside what is redacted in its record",
       {R"("box": {"fee": 1, "size": 2})", R"("box": {"size": 2.0, "fee": 3})"}},
  };
  for (const Spellings& each : cases) {
    Spelled bench;
    const std::string first = bench.ask(each.fields.front());
    for (const std::string& fields : each.fields) EXPECT_EQ(bench.ask(fields), first) << each.what << ": " << fields;
    EXPECT_EQ(bench.runtime.approvals().list(std::nullopt, *bench.now)->size(), 1u) << each.what;
  }
}

TEST(Respelled, OtherCallsDoNot) {
  const Spellings cases[] = {
      {"undeclared numbers", {R"("x": 1)", R"("x": 1.0)", R"("x": "1")", R"("x": 2)"}},
      {"declared as any", {R"("any": 1)", R"("any": 1.0)"}},
      {"undeclared null", {"", R"("x": null)", R"("x": {})", R"("x": [])"}},
      {"undeclared times", {R"("x": "2026-01-01T00:00:00Z")", R"("x": "2026-01-01T01:00:00+01:00")"}},
      {"composed and decomposed", {R"("note": "\u00e9")", R"("note": "e\u0301")"}},
      {"empty and absent", {"", R"("note": "")", R"("lines": [])", R"("limits": {})"}},
      {"numbers", {R"("n": 5)", R"("n": 6)", R"("u": 5)", R"("x": 5)"}},
      {"instants", {R"("when": "2026-01-01T00:00:00Z")", R"("when": "2026-01-01T00:00:00.000000001Z")"}},
      {"the order of a list", {R"("lines": [{"price": 1}, {"price": 2}])", R"("lines": [{"price": 2}, {"price": 1}])"}},
      {"a text that looks redacted", {R"("fee": 1)", R"("x": "***")", ""}},
  };
  for (const Spellings& each : cases) {
    Spelled bench;
    for (const std::string& fields : each.fields) bench.ask(fields);
    EXPECT_EQ(bench.runtime.approvals().list(std::nullopt, *bench.now)->size(), each.fields.size()) << each.what;
  }
}

TEST(Respelled, WithoutADeclarationOnlyTheOrderOfKeysAndTheSignOfZeroDoNotMatter) {
  for (const char* capability : {"free", "undeclared"}) {
    Spelled bench;
    const std::string first = bench.ask(R"("a": 1, "b": 0.0)", capability);
    EXPECT_EQ(bench.ask(R"("b": -0.0, "a": 1)", capability), first);
    EXPECT_NE(bench.ask(R"("a": 1.0, "b": 0.0)", capability), first);
    EXPECT_NE(bench.ask(R"("a": 1, "b": 0)", capability), first);
  }
}

TEST(Respelled, TheRequestShowsTheDeclaredForm) {
  Spelled bench;
  const std::string id = bench.ask(R"("when": "2026-01-01T01:00:00+01:00", "n": 5.0, "note": null, "x": -0.0)");
  EXPECT_EQ(bench.runtime.approvals().show(id, *bench.now)->input,
            R"({"amount":1.0,"n":5,"to":"a","when":"2026-01-01T00:00:00Z","x":0.0})");
}

TEST(Respelled, AResourceHasOneFormToo) {
  Spelled bench;
  const auto ask = [&](const char* resource) {
    const Document kept = json(resource);
    CallOptions options;
    options.resource = kept.root();
    auto outcome = bench.runtime.call("pay", json(R"({"to": "a", "amount": 1})"), bench.tool(), options);
    EXPECT_NE(outcome.pending(), nullptr) << outcome.describe();
    return outcome.pending() != nullptr ? outcome.pending()->approval_id : std::string();
  };
  EXPECT_EQ(ask(R"({"id": "r", "size": 0.0})"), ask(R"({"size": -0.0, "id": "r"})"));
  EXPECT_NE(ask(R"({"id": "r", "size": 0.0})"), ask(R"({"id": "r", "size": 0})"));
}

TEST(Respelled, OneApprovalServesAnySpellingOnce) {
  Spelled bench;
  const std::string id = bench.ask(R"("to": "a", "amount": 600)");
  ASSERT_TRUE(bench.runtime.approvals().approve(id, "ann", "", "", *bench.now).ok());
  auto run = bench.runtime.call("pay", json(R"({"amount": 600.0, "to": "a", "note": null})"), bench.tool());
  EXPECT_TRUE(run.has_value()) << run.describe();
  EXPECT_EQ(*bench.runs, 1);
  EXPECT_NE(bench.ask(R"("to": "a", "amount": 6e2)"), id);
}

TEST(Respelled, ARejectionHoldsForEverySpelling) {
  Spelled bench;
  const std::string id = bench.ask(R"("to": "a", "amount": 600)");
  ASSERT_TRUE(bench.runtime.approvals().reject(id, "ann", "", "no", *bench.now).ok());
  for (const char* input : {R"({"to": "a", "amount": 600.0})", R"({"amount": 6e2, "to": "a"})",
                            R"({"to": "a", "amount": 600, "n": null})"}) {
    auto outcome = bench.runtime.call("pay", json(input), bench.tool());
    ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
    EXPECT_EQ(outcome.denied()->code, "approval_rejected") << input;
  }
  EXPECT_EQ(*bench.runs, 0);
}

}  // namespace
}  // namespace ordain
