// ways_in_bench times the ways to fill a call of ten fields: by slot, from a struct, and from JSON
// text; and how much deciding adds. It also times JSON of 20 KB with 200 fields that no rule reads,
// in an open record, and the ways to a context of eight attributes and three lists of five texts. The
// ways take turns, so that the ratios hold on a noisy machine; the answers of all ways are compared
// first.
//   build/release/bin/ways_in_bench [--quick] [--json]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>

#include "bench/program.h"
#include "bench/report.h"
#include "ordain/context_cache.h"
#include "ordain/ordain.h"
#include "ordain/struct_binding.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPolicy = R"(package bench;
capability pay {
  input open {
    amount: double, count: int, recipient: string, currency: string, urgent: bool, recurring: bool, day: int,
    limit: optional(int), subject: string, at: timestamp
  }
}
policy pay_rules on before pay {
  deny not_positive    when input.amount <= 0.0;
  deny too_many        when input.count * 3 + 1 > 1000;
  deny blocked         when input.recipient in ["mallory", "trudy", "eve", "oscar"];
  deny foreign_urgent  when input.currency != "EUR" && input.urgent;
  deny weekend         when input.day == 6 || input.day == 7;
  deny long_recurring  when input.recurring && input.amount > 900.0;
  deny above_limit     when has(input.limit) && input.count > input.limit;
  deny secret          when input.subject == "secret";
  deny late            when input.at > timestamp("2030-01-01T00:00:00Z");
  allow small          when input.amount < 10000.0 && input.count > 0;
}
)";

struct Payment {
  double amount = 800.5;
  int count = 3;
  std::string recipient = "landlord", currency = "EUR";
  bool urgent = true, recurring = true;
  int day = 2;
  std::optional<int> limit = 5;
  std::string subject = "rent of May";
  std::chrono::sys_seconds at{std::chrono::seconds(1767268800)};
};

constexpr std::string_view kTenFields =
    R"("amount": 800.5, "count": 3, "recipient": "landlord", "currency": "EUR", "urgent": true, "recurring": true, )"
    R"("day": 2, "limit": 5, "subject": "rent of May", "at": "2026-01-01T12:00:00Z")";

// Makes JSON with `unread` more fields of about a hundred bytes each; every fourth is a small
// record.
std::string json_with(size_t unread) {
  std::string out = "{" + std::string(kTenFields);
  for (size_t n = 0; n < unread; ++n) {
    const std::string filler(78, static_cast<char>('a' + n % 26));
    out += n % 4 == 0 ? fmt::format(R"(, "extra_{}": {{"id": {}, "text": "{}"}})", n, n, filler.substr(0, 56))
                      : fmt::format(R"(, "extra_{}": "{}")", n, filler);
  }
  return out + "}";
}

struct Way {
  std::string name;
  std::function<void()> run;
  double best = 1e18;  // ns
};

// Takes the best of many short turns: the time of each way when nothing else runs.
void measure(std::vector<Way>& ways, int rounds) {
  constexpr int kBatch = 500;
  for (int round = 0; round < rounds; ++round) {
    for (Way& way : ways) {
      const auto start = Clock::now();
      for (int n = 0; n < kBatch; ++n) way.run();
      const std::chrono::duration<double, std::nano> took = Clock::now() - start;
      way.best = std::min(way.best, took.count() / kBatch);
    }
  }
}

constexpr const char* kAgentPolicy = R"(package bench;
context { agent {
  department: string, region: string, team: string, level: int, clearance: int, trusted: bool, contract: string,
  groups: list(string)
} }
capability open_record { input { kind: string, sensitivity: int } }
policy records on before open_record {
  deny outside    when agent.region != "north" && agent.region != "south";
  deny untrusted  when !agent.trusted && input.sensitivity > 2;
  deny uncleared  when agent.clearance < input.sensitivity;
  deny temporary  when agent.contract == "temporary" && input.kind == "payroll";
  deny suspended  when "suspended" in agent.groups;
  deny unscoped   when !("records:read" in agent.scopes);
  allow admins    when "admin" in agent.roles && agent.level > 3;
  allow payroll   when input.kind == "payroll" && agent.department == "finance" && "payer" in agent.roles;
  allow team      when input.kind == "notes" && agent.team in ["red", "blue", "green"];
  allow readers   when "reader" in agent.roles && input.sensitivity < 3;
}
)";

// Who acts, in nine different versions.
std::string agent_json(size_t number) {
  return fmt::format(
      R"({{"agent": {{"id": "agent-{0}", "department": "research", "region": "north", "team": "team-{0}", "level": {0}, )"
      R"("clearance": 4, "trusted": true, "contract": "permanent", )"
      R"("roles": ["reader", "writer", "reviewer", "auditor-{0}", "guest"], )"
      R"("scopes": ["records:read", "records:list", "notes:read", "notes:write", "calendar:read"], )"
      R"("groups": ["everyone", "north", "building-{0}", "research", "choir"]}}}})",
      number % 9);
}

// How much it adds to a decision to find or to make the context.
bool measure_contexts(const Options& options) {
  const auto program = bench::make_program(kAgentPolicy);
  const CapabilityRef open = program->resolve("open_record");
  const Capability* capability = program->schema().find_capability("open_record");
  const SlotRef kind = program->slot(capability, "input.kind"), level = program->slot(capability, "input.sensitivity");
  ContextCache cache(program);
  std::vector<std::string> texts;
  std::vector<std::unique_ptr<Context>> made;
  const auto fill = [](Context& context, const std::string& text) {
    Arena arena;
    context.set_root("agent", *map_find(*parse_json(arena, text)->map, "agent"));
  };
  for (size_t i = 0; i < 9; ++i) {
    texts.push_back(agent_json(i));
    fill(*made.emplace_back(std::make_unique<Context>(program)), texts.back());
  }
  Call call(program);
  Scratch scratch;
  size_t next = 0;
  const auto decided = [&](const Context& context) {
    call.begin(open, Stage::before);
    call.set(kind, Value::string("minutes"));
    call.set(level, Value::integer(1));
    return decide(call, context, scratch);
  };
  const auto number = [&] { return next = next == 8 ? 0 : next + 1; };
  for (size_t i = 0; i < texts.size(); ++i) {
    if (decided(*made[i]).reason == "records.readers" && decided(**cache.of(texts[i])).reason == "records.readers")
      continue;
    std::cerr << "the ways to a context give different answers\n";
    return false;
  }
  std::vector<Way> ways = {
      {"deciding, the context at hand", [&] { (void)decided(*made[number()]); }},
      {"deciding, the context by its JSON text, known", [&] { (void)decided(**cache.of(texts[number()])); }},
      {"deciding, the context made of JSON text",
       [&] {
         Context context(program);
         fill(context, texts[number()]);
         (void)decided(context);
       }},
  };
  measure(ways, options.quick ? 20 : 200);
  for (const Way& way : ways) {
    Line& line = add("ways in", way.name, way.best, "ns");
    if (&way != ways.data()) compare(line, ways.front().best, "the context at hand");
    if (&way == &ways[1]) budget_of_ratio(line, 2);
  }
  return true;
}

int run(const Options& options) {
  const auto program = bench::make_program(kPolicy);
  const Context context(program);
  const CapabilityRef pay = program->resolve("pay");
  const Capability* capability = program->schema().find_capability("pay");
  const auto slot = [&](const char* path) { return program->slot(capability, path); };
  const SlotRef slots[] = {slot("input.amount"),   slot("input.count"),  slot("input.recipient"),
                           slot("input.currency"), slot("input.urgent"), slot("input.recurring"),
                           slot("input.day"),      slot("input.limit"),  slot("input.subject"),
                           slot("input.at")};
  auto binding = StructBinder<Payment>(program, "pay")
                     .bind("input.amount", &Payment::amount)
                     .bind("input.count", &Payment::count)
                     .bind("input.recipient", &Payment::recipient)
                     .bind("input.currency", &Payment::currency)
                     .bind("input.urgent", &Payment::urgent)
                     .bind("input.recurring", &Payment::recurring)
                     .bind("input.day", &Payment::day)
                     .bind("input.limit", &Payment::limit)
                     .bind("input.subject", &Payment::subject)
                     .bind("input.at", &Payment::at)
                     .finish();
  if (!binding) {
    std::cerr << binding.error().message << "\n";
    return 1;
  }
  const Payment payment;
  const std::string small = json_with(0), large = json_with(200);
  Call call(program);
  Scratch scratch;
  const auto by_slot = [&] {
    call.begin(pay, Stage::before);
    const Value values[] = {
        Value::floating(payment.amount),  Value::integer(payment.count),
        Value::string(payment.recipient), Value::string(payment.currency),
        Value::boolean(payment.urgent),   Value::boolean(payment.recurring),
        Value::integer(payment.day),      Value::integer(*payment.limit),
        Value::string(payment.subject),   Value::timestamp(payment.at.time_since_epoch().count(), 0)};
    for (size_t n = 0; n < std::size(slots); ++n) call.set(slots[n], values[n]);
  };
  const auto by_struct = [&] {
    call.begin(pay, Stage::before);
    binding->fill(call, payment);
  };
  const auto by_tree = [&](const std::string& text) {
    call.begin(pay, Stage::before);
    call.bind_input(*parse_json(call.arena(), text));
  };
  const auto by_json = [&](const std::string& text) {
    call.begin(pay, Stage::before);
    call.bind_json(text);
  };
  const auto decided = [&] { return std::string(decide(call, context, scratch).reason); };
  const std::function<void()> ways_in[] = {by_slot,
                                           by_struct,
                                           [&] { by_tree(small); },
                                           [&] { by_tree(large); },
                                           [&] { by_json(small); },
                                           [&] { by_json(large); }};
  for (const auto& way : ways_in) {
    way();
    if (decided() != "pay_rules.small") {
      std::cerr << "a way in gives another answer: " << decided() << "\n";
      return 1;
    }
  }
  const std::string kilobytes = fmt::format("{:.0f} KB", static_cast<double>(large.size()) / 1000);
  std::vector<Way> ways = {
      {"ten fields by slot", by_slot},
      {"ten fields from a struct", by_struct},
      {"ten fields, JSON text", [&] { by_json(small); }},
      {"ten fields, JSON text by way of a tree", [&] { by_tree(small); }},
      {"ten fields and 200 unread, " + kilobytes + " of JSON text", [&] { by_json(large); }},
      {"ten fields and 200 unread, JSON text by way of a tree", [&] { by_tree(large); }},
      {"ten fields, JSON text to decision", [&] { by_json(small), (void)decide(call, context, scratch); }},
  };
  measure(ways, options.quick ? 20 : 200);
  for (const Way& way : ways) {
    Line& line = add("ways in", way.name, way.best, "ns");
    if (&way != ways.data()) compare(line, ways.front().best, "by slot");
    if (&way == &ways.back()) budget(line, 1000);
  }
  if (!measure_contexts(options)) return 1;
  print_report(options);
  return 0;
}

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  return ordain::bench::run(ordain::bench::parse_options(argc, argv, "ways_in_bench", "The ways into a call"));
}
