// This program builds and runs the examples of docs/coming-from-*.md and of the later parts of
// docs/embedding.md.
#include <ordain/async.h>
#include <ordain/ordain.h>
#include <ordain/plan.h>

#include <filesystem>
#include <fstream>
#include <iostream>

using ordain::Document;
using ordain::Value;

static ordain::Document json(const std::string& text) { return *ordain::Document::parse(text); }

// --- CapFence ---
static bool capfence(const std::shared_ptr<const ordain::Program>& policies) {
  auto runtime = ordain::Runtime::open(
      policies,
      {.agent = "deployment-agent", .environment = "production", .session = "session-123", .database = "state/"});
  if (!runtime) return false;
  ordain::CallOptions options;
  options.risk = "high";
  options.resource = Value::string("deployment");

  auto verdict = runtime->authorize("shell.execute", json(R"({"command": "ls -la"})"), options);
  if (verdict.authorized) {
    std::cout << "run " << verdict.input.json() << "\n";
  } else {
    std::cout << verdict.decision.rule << ": " << verdict.decision.reason << " " << verdict.approval_id << "\n";
  }
  std::cout << verdict.decision.confidence << " at " << ordain::format_time(verdict.decision.time_ns) << "\n";
  return verdict.authorized && verdict.decision.confidence == 0.8;
}

// --- Aegis ---
class Crm final : public ordain::Executor {
 public:
  ordain::Result<Document> execute(const ordain::Action& action, const Value&) override {
    return json(R"({"done": ")" + action.capability + "\"}");
  }
  ordain::Result<void> setup() override { return {}; }
  void teardown() noexcept override {}
};

static bool aegis(const std::shared_ptr<const ordain::Program>& policies) {
  auto runtime =
      ordain::Runtime::open(policies, {.approvals = ordain::callback_handler([](const ordain::Approval& request) {
                                         return request.rule == "crm.careful";
                                       }),
                                       .sinks = {ordain::log_sink(std::clog)}});
  if (!runtime) return false;
  Crm crm;

  auto plan = ordain::make_plan(*runtime, {{.capability = "salesforce.read"}, {.capability = "salesforce.delete"}});
  std::cout << plan.summary();
  for (const auto& result : ordain::execute(*runtime, crm, plan)) {
    std::cout << to_string(result.status) << " " << result.action.capability << "\n";
  }

  auto one = ordain::run_one(*runtime, crm, {.capability = "salesforce.read"});

  auto calls = ordain::AsyncCalls::open(*runtime);
  auto future =
      calls->start({.capability = "salesforce.read"}, [](const Value&, std::stop_token) { return json("{}"); });
  return one.ok() && plan.requires_approval() && future.get().has_value();
}

// --- Brane ---
static ordain::HostVerdict block_external_domains(const ordain::HostCall& call) {
  Value to = call.arg("to");
  bool internal = to.is(ordain::Kind::string) && to.as_text().ends_with("@acme.com");
  if (!internal) return ordain::HostVerdict::deny("External email addresses are blocked");
  return ordain::HostVerdict::allow();
}

static bool send_email(const std::string& to, const std::string&) { return !to.empty(); }

static bool brane(const std::shared_ptr<const ordain::Program>& policies) {
  auto runtime = ordain::Runtime::open(policies, {.agent = "comms-agent", .environment = "prod"});
  if (!runtime) return false;
  auto added = runtime->before("send_email", "block_external_email", block_external_domains);
  auto email = runtime->wrap("send_email", {"to", "body"}, send_email);

  auto who = runtime->identity({.principal = "user_sarah", .tenant = "tenant_acme"});
  auto sent = email.as(*who, "ann@acme.com", "hello");
  auto refused = email.as(*who, "eve@evil.com", "hello");
  auto decision = runtime->evaluate("send_email", json(R"({"to": "eve@evil.com", "body": ""})"));
  return added.ok() && sent.has_value() && refused.denied() != nullptr && decision.effect == ordain::Effect::deny;
}

// --- Brane's cloud client: an Ordain elsewhere ---
static void post(const std::string& event, const std::function<void(const std::string* body)>& done) {
  const bool known = event.find("\"capability\":\"send_email\"") != std::string::npos;
  const std::string body = R"({"effect": "deny", "rule": "mail.frozen", "reason": "no mail today"})";
  done(known ? &body : nullptr);
}

class Cloud final : public ordain::RemoteDecider {
 public:
  void ask(ordain::RemoteRequest request, Reply reply) override {
    post(request.event, [reply](const std::string* body) {
      if (body == nullptr) return reply(ordain::Error{"unreachable", "no response"});
      reply(ordain::parse_remote_answer(*body));
    });
  }
};

static bool cloud(const std::shared_ptr<const ordain::Program>& policies) {
  auto runtime = ordain::Runtime::open(policies, {.remote = {.decider = std::make_shared<Cloud>(),
                                                             .timeout = std::chrono::milliseconds(300),
                                                             .fallback = ordain::RemoteFallback::local}});
  if (!runtime) return false;
  auto mail = runtime->evaluate("send_email", json(R"({"to": "ann@acme.com", "body": ""})"));
  auto shell = runtime->evaluate("shell.execute", json(R"({"command": "ls"})"));
  std::cout << mail.rule << ": " << mail.reason << "; " << shell.remote << "\n";
  return mail.rule == "remote:mail.frozen" && shell.effect == ordain::Effect::allow;
}

int main() {
  std::filesystem::remove_all("state");
  std::filesystem::create_directories("coming");
  std::ofstream("coming/all.policy") << R"(
capability shell.execute { input { command: string } }
capability send_email { type "tool"; risk medium; input { to: string, body: string } }
capability salesforce.read { input {} }
capability salesforce.delete { risk high; input {} }
policy shells on before shell.execute { allow listing when shell.split(input.command)[0] == "ls"; }
policy crm on before salesforce.* {
  require_approval careful when capability.risk >= "high" because "deleting";
  allow;
}
)";
  auto policies = ordain::load_policies("coming/all.policy");
  std::cerr << policies.messages;
  if (!policies) return 1;
  bool ok = capfence(*policies);
  ok = aegis(*policies) && ok;
  ok = brane(*policies) && ok;
  ok = cloud(*policies) && ok;
  return ok ? 0 : 1;
}
