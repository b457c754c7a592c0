// telemetry.cc keeps counters behind one mutex and writes them as OpenMetrics text.
#include "ordain/telemetry.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>

namespace ordain {
namespace {

/// The upper bounds of the buckets, in nanoseconds.
constexpr std::array<int64_t, 10> kBounds = {100,   250,    500,     1'000,     2'500,
                                             5'000, 10'000, 100'000, 1'000'000, 10'000'000};

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string family(std::string_view name, std::string_view type, std::string_view help) {
  std::string unit = name.ends_with("_seconds") ? fmt::format("# UNIT {} seconds\n", name) : "";
  return fmt::format("# TYPE {} {}\n{}# HELP {} {}\n", name, type, unit, name, help);
}

using Counters = std::map<std::string, uint64_t>;

std::string counters(std::string_view name, std::string_view help, const Counters& values) {
  std::string out = family(name, "counter", help);
  for (const auto& [labels, count] : values) out += fmt::format("{}_total{{{}}} {}\n", name, labels, count);
  return out;
}

}  // namespace

struct Metrics::Impl {
  mutable std::mutex mutex;
  Counters decisions, executions, failures;
  std::array<uint64_t, kBounds.size() + 1> latencies{};
  int64_t latency_sum_ns = 0;

  /// Changes a counter. If counting runs out of memory, the event is not counted, but the call goes
  /// on.
  template <typename Count>
  void count(Count change) noexcept {
    try {
      std::lock_guard lock(mutex);
      change();
    } catch (...) {
    }
  }

  std::string histogram() const {
    std::string out = family("ordain_decision_seconds", "histogram", "Time that deciding takes.");
    uint64_t below = 0;
    for (size_t i = 0; i < kBounds.size(); ++i) {
      below += latencies[i];
      out +=
          fmt::format("ordain_decision_seconds_bucket{{le=\"{}\"}} {}\n", static_cast<double>(kBounds[i]) / 1e9, below);
    }
    below += latencies.back();
    out += fmt::format("ordain_decision_seconds_bucket{{le=\"+Inf\"}} {}\n", below);
    out += fmt::format("ordain_decision_seconds_sum {}\n", static_cast<double>(latency_sum_ns) / 1e9);
    return out + fmt::format("ordain_decision_seconds_count {}\n", below);
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::decided(const DecisionEvent& event) noexcept {
  impl_->count([&] {
    bool would = event.observed && event.effect != Effect::allow;
    std::string effect = (would ? "would_" : "") + std::string(to_string(event.effect));
    ++impl_->decisions[label("stage", to_string(event.stage)) + "," + label("effect", effect) + "," +
                       label("rule", event.rule)];
    size_t bucket = 0;
    while (bucket < kBounds.size() && event.elapsed.count() > kBounds[bucket]) ++bucket;
    ++impl_->latencies[bucket];
    impl_->latency_sum_ns += event.elapsed.count();
  });
}

void Metrics::executed(const ExecutionEvent& event) noexcept {
  impl_->count([&] { ++impl_->executions[label("status", to_string(event.status))]; });
}

void Metrics::write_failed(std::string_view where) noexcept {
  impl_->count([&] { ++impl_->failures[label("where", where)]; });
}

std::string Metrics::text(const RuntimeHealth& health) const {
  std::lock_guard lock(impl_->mutex);
  std::string out = counters("ordain_decisions", "Decisions of governed calls.", impl_->decisions);
  out += impl_->histogram();
  out += counters("ordain_executions", "Executed tools, by what became of them.", impl_->executions);
  out += counters("ordain_write_failures", "Records that the log or a sink did not take.", impl_->failures);
  out += family("ordain_audit_available", "gauge", "1 while the audit log can be written.");
  out += fmt::format("ordain_audit_available {}\n", health.audit_available ? 1 : 0);
  out += family("ordain_audit_queue_depth", "gauge", "Records that wait for the writer.");
  out += fmt::format("ordain_audit_queue_depth {}\n", health.queue_depth);
  out += family("ordain_audit_records_written", "counter", "Records committed to the audit log.");
  out += fmt::format("ordain_audit_records_written_total {}\n", health.records_written);
  out += family("ordain_audit_records_lost", "counter", "Records that could not be committed.");
  out += fmt::format("ordain_audit_records_lost_total {}\n", health.records_lost);
  return out + "# EOF\n";
}

}  // namespace ordain
