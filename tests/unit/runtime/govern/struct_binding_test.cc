// These tests cover structs bound to slots: their decisions, what binding refuses, and what a call
// refuses.
#include "ordain/struct_binding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

constexpr const char* kPolicy = R"(
capability pay {
  input { amount: double, count: int, units: uint, to: string, urgent: bool, note: optional(string), tags: list(string),
          at: timestamp, wait: duration, address: optional({ city: string, zip: optional(int) }), unread: int }
  output { text: string }
}
capability gap { input open { n: int } }
policy p on before pay {
  deny amount  when input.amount > 100.0 because "amount";
  deny count   when input.count == 3 because "count";
  deny units   when input.units == 4u because "units";
  deny to      when input.to == "mallory" because "to";
  deny urgent  when input.urgent because "urgent";
  deny note    when has(input.note) && input.note == "bad" because "note";
  deny tags    when "black" in input.tags because "tags";
  deny at      when input.at > timestamp("2030-01-01T00:00:00Z") because "at";
  deny wait    when input.wait < duration("0s") because "wait";
  deny city    when has(input.address) && input.address.city == "Atlantis" because "city";
  allow;
}
policy q on after pay { deny leak when output.text.contains("AKIA") because "leak"; }
policy g on before gap { deny open when has(input.extra) && input.extra == "x" because "extra"; allow; }
)";

struct Base {
  double amount = 1;
  int count = 1;
};
struct Payment : Base {
  uint16_t units = 1;
  std::string to = "bob";
  bool urgent = false;
  std::optional<std::string> note;
  std::vector<std::string> tags;
  std::chrono::sys_seconds at{};
  std::chrono::milliseconds wait{5};
  std::string_view city = "Paris";
  int64_t unread = 0;
  std::string text = "fine";
};

std::shared_ptr<const Program> program(const std::string& text = kPolicy) { return testing::compile_text(text); }

StructBinder<Payment> all_but(const std::shared_ptr<const Program>& of, std::string_view left_out = "") {
  StructBinder<Payment> out(of, "pay");
  auto bind = [&](std::string_view path, auto member) {
    if (path != left_out) out.bind(path, member);
  };
  bind("input.amount", &Payment::amount);
  bind("input.count", &Payment::count);
  bind("input.units", &Payment::units);
  bind("input.to", &Payment::to);
  bind("input.urgent", &Payment::urgent);
  bind("input.note", &Payment::note);
  bind("input.tags", &Payment::tags);
  bind("input.at", &Payment::at);
  bind("input.wait", &Payment::wait);
  bind("input.address.city", &Payment::city);
  bind("input.unread", &Payment::unread);
  bind("output.text", &Payment::text);
  return out;
}

std::string outcome(const Call& call, const Context& context) {
  Scratch scratch;
  const Decision decision = decide(call, context, scratch);
  return decision.effect == Effect::allow ? "allow" : std::string(decision.reason);
}

class StructBindingTest : public ::testing::TestWithParam<bool> {
 protected:
  // With the parameter, a rule reads the whole input, so it must be bound as a map.
  void SetUp() override {
    of_ = program(GetParam() ? testing::edited(kPolicy, "  allow;\n}\npolicy q",
                                               "  deny whole when texts(input).exists(t, t == \"whole\") because "
                                               "\"whole\";\n  allow;\n}\npolicy q")
                             : kPolicy);
  }
  std::string decide_it(const Payment& payment, Stage stage = Stage::before) {
    auto binding = all_but(of_).finish();
    EXPECT_TRUE(binding.ok()) << binding.error().message;
    Call call(of_);
    call.begin(binding->capability(), stage);
    binding->fill(call, payment);
    return outcome(call, Context(of_));
  }
  template <typename Change>
  std::string with(Change change) {
    Payment payment;
    change(payment);
    return decide_it(payment);
  }
  std::shared_ptr<const Program> of_;
};

TEST_P(StructBindingTest, EveryMemberReachesItsRule) {
  using namespace std::chrono_literals;
  EXPECT_EQ(with([](Payment&) {}), "allow");
  EXPECT_EQ(with([](Payment& p) { p.amount = 100.5; }), "amount");
  EXPECT_EQ(with([](Payment& p) { p.count = 3; }), "count");
  EXPECT_EQ(with([](Payment& p) { p.units = 4; }), "units");
  EXPECT_EQ(with([](Payment& p) { p.to = "mallory"; }), "to");
  EXPECT_EQ(with([](Payment& p) { p.urgent = true; }), "urgent");
  EXPECT_EQ(with([](Payment& p) { p.note = "bad"; }), "note");
  EXPECT_EQ(with([](Payment& p) { p.note = "good"; }), "allow");
  EXPECT_EQ(with([](Payment& p) { p.tags = {"white", "black"}; }), "tags");
  EXPECT_EQ(with([](Payment& p) { p.at = std::chrono::sys_days(std::chrono::year(2031) / 1 / 1); }), "at");
  EXPECT_EQ(with([](Payment& p) { p.wait = -1ms; }), "wait");
  EXPECT_EQ(with([](Payment& p) { p.city = "Atlantis"; }), "city");
  Payment leaking;
  leaking.text = "AKIA";
  EXPECT_EQ(decide_it(leaking), "allow") << "there is no output before";
  EXPECT_EQ(decide_it(leaking, Stage::after), "leak");
  EXPECT_EQ(with([](Payment& p) { p.to = "whole"; }), GetParam() ? "whole" : "allow");
}

TEST_P(StructBindingTest, WhatDoesNotFitIsInvalidInput) {
  EXPECT_NE(with([](Payment& p) { p.amount = std::nan(""); }).find("input.amount"), std::string::npos);
  EXPECT_NE(with([](Payment& p) { p.to = "\xff"; }).find("input.to"), std::string::npos);
  EXPECT_NE(with([](Payment& p) { p.tags = {"\xff"}; }).find("input.tags[0]"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Each, StructBindingTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Whole" : "Slots"; });

TEST(StructBinding, ALiveCallIsClearedByBegin) {
  auto of = program();
  auto binding = all_but(of).finish();
  Call call(of);
  Context context(of);
  Payment bad, good;
  bad.note = "bad";
  call.begin(binding->capability(), Stage::before);
  binding->fill(call, bad);
  EXPECT_EQ(outcome(call, context), "note");
  call.begin(binding->capability(), Stage::before);
  binding->fill(call, good);
  EXPECT_EQ(outcome(call, context), "allow");
}

TEST(StructBinding, IsRefusedWhereAMemberCannotHoldItsField) {
  auto of = program();
  auto bind_error = [&](std::string_view path, auto member) {
    auto result = all_but(of, path).bind(path, member).finish();
    EXPECT_FALSE(result.ok()) << path;
    if (result.ok()) return std::string();
    EXPECT_EQ(result.error().code, "bad_binding");
    return result.error().message;
  };
  EXPECT_EQ(bind_error("input.amount", &Payment::to), "input.amount: declared double, but the member is a string");
  EXPECT_EQ(bind_error("input.count", &Payment::amount), "input.count: declared int, but the member is floating point");
  EXPECT_EQ(bind_error("input.to", &Payment::note),
            "input.to: required, but the member is optional a string and may be empty");
  EXPECT_EQ(bind_error("input.tags", &Payment::to), "input.tags: declared list(string), but the member is a string");
  EXPECT_EQ(bind_error("input.at", &Payment::wait), "input.at: declared timestamp, but the member is a duration");
  EXPECT_EQ(bind_error("input.address.city.x", &Payment::to),
            "input.address.city.x: input.address.city is string, which has no fields");
  EXPECT_NE(bind_error("input.amuont", &Payment::amount).find("did you mean `amount`"), std::string::npos);
  EXPECT_NE(bind_error("agent.id", &Payment::to).find("only fields of input and output"), std::string::npos);
  EXPECT_EQ(all_but(of).bind("input.to", &Payment::to).finish().error().message, "input.to: bound twice");
}

TEST(StructBinding, RequiredFieldsMustBeBound) {
  auto of = program();
  EXPECT_EQ(all_but(of, "input.unread").finish().error().message, "input.unread: required, but not bound");
  EXPECT_EQ(all_but(of, "input.address.city").finish().ok(), true) << "an optional record may be left out";
  EXPECT_EQ(all_but(of, "input.address.city").bind("input.address.zip", &Payment::count).finish().error().message,
            "input.address.city: required, but not bound");
  EXPECT_TRUE(all_but(of, "input.note").finish().ok());
  EXPECT_TRUE(all_but(of, "output.text").finish().ok()) << "no output is bound at all";
  EXPECT_NE(StructBinder<Payment>(of, "pya").finish().error().message.find("no capability pya"), std::string::npos);
  EXPECT_FALSE(StructBinder<Payment>(nullptr, "pay").finish().ok());
}

TEST(StructBinding, OpenRecordsTakeMore) {
  auto of = program();
  auto binding =
      StructBinder<Payment>(of, "gap").bind("input.n", &Payment::count).bind("input.extra", &Payment::to).finish();
  ASSERT_TRUE(binding.ok()) << binding.error().message;
  Call call(of);
  Payment payment;
  payment.to = "x";
  call.begin(binding->capability(), Stage::before);
  binding->fill(call, payment);
  EXPECT_EQ(outcome(call, Context(of)), "extra");
}

TEST(StructBinding, ACallOfAnotherProgramOrCapabilityIsInvalid) {
  auto of = program(), other = program();
  auto binding = all_but(of).finish();
  Call call(other);
  const Payment payment;
  call.begin(other->resolve("pay"), Stage::before);
  binding->fill(call, payment);
  EXPECT_NE(outcome(call, Context(other)).find("another program"), std::string::npos);
  Call wrong(of);
  wrong.begin(of->resolve("gap"), Stage::before);
  binding->fill(wrong, payment);
  EXPECT_NE(outcome(wrong, Context(of)).find("another"), std::string::npos);
}

template <typename T>
concept FillsFrom = requires(const StructBinding<Payment>& binding, Call& call, T&& object) {
  binding.fill(call, std::forward<T>(object));
};
static_assert(FillsFrom<const Payment&> && FillsFrom<Payment&>);
static_assert(!FillsFrom<Payment>, "a temporary's texts would be gone before the decision");

}  // namespace
}  // namespace ordain
