// ordain new: a small project to begin with: policies, their tests, events, and a workflow that checks them.
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "cli/command.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "ordain/format.h"

namespace ordain::cli {
namespace {

namespace fs = std::filesystem;

struct ProjectFile {
  std::string_view path;
  std::string_view text;
};

constexpr std::array<ProjectFile, 6> kProjectFiles = {{
    {"policies/capabilities.policy",
     R"(// What the agent can do. Each capability declares a tool and the input that it takes; other input is denied.
// `ordain schema import` writes such declarations from the schemas of tools.

capability read_file {
  risk low; effect read;
  input { path: string(max 4096) }
}

capability send_money {
  risk high; effect irreversible, external;
  input { to: string, amount: double(min 0.0), currency: "EUR" | "USD" }
  output open { receipt: string }
}
)"},
    {"policies/agent.policy", R"(// What the agent may do. A call about which no rule speaks is denied.

// Whom the agent may pay.
let payees = ["alice", "bob"];

policy files on before read_file {
  deny outside when !input.path.isWithin("/workspace") because "only files below /workspace may be read";
  allow inside;
}

policy payments on before send_money {
  deny stranger when !(input.to in payees) because input.to + " is not a payee";
  require_approval large when input.amount > 500.0 from "finance" expires 1h because "a payment above 500";
  allow small;
}

// What the agent sees of a tool's output.
policy receipts on after send_money {
  redact receipt output.receipt when agent.id != "auditor" with "***";
}
)"},
    {"tests/agent.policy", R"(// What the policies must decide: `ordain test policies tests`.

test "files of the workspace may be read" {
  call read_file { path: "/workspace/notes.txt" };
  expect allow by files.inside;
  call read_file { path: "/workspace/../etc/passwd" };
  expect deny by files.outside;
}

test "payees are paid, and much money by approval only" {
  rows payee, amount {
    "alice", 20.0 expect allow by payments.small;
    "bob", 501.0 expect require_approval by payments.large;
    "mallory", 20.0 expect deny by payments.stranger;
  }
  call send_money { to: payee, amount: amount, currency: "EUR" };
}

test "receipts are for the auditor" {
  call send_money { to: "alice", amount: 20.0, currency: "EUR" } returns { receipt: "r-1" } with agent = { id: "a-1" };
  expect redact by receipts.receipt;
}
)"},
    {"events/calls.jsonl",
     R"({"capability": "read_file", "input": {"path": "/workspace/notes.txt"}, "agent": {"id": "a-1"}}
{"capability": "read_file", "input": {"path": "/etc/passwd"}, "agent": {"id": "a-1"}}
{"capability": "send_money", "input": {"to": "alice", "amount": 20, "currency": "EUR"}, "agent": {"id": "a-1"}}
{"capability": "send_money", "input": {"to": "alice", "amount": 900, "currency": "EUR"}, "agent": {"id": "a-1"}}
{"capability": "send_money", "input": {"to": "mallory", "amount": 20, "currency": "USD"}, "agent": {"id": "a-1"}}
{"capability": "send_money", "input": {"to": "alice", "amount": 20, "currency": "XYZ"}, "agent": {"id": "a-1"}}
)"},
    {".github/workflows/policies.yml",
     R"(# Checks the policies with every change. It needs `ordain` on the machine that runs it.
name: policies
on: [push, pull_request]
jobs:
  policies:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: ordain check --strict policies tests
      - run: ordain fmt --check policies tests
      - run: ordain lint policies tests
      - run: ordain test policies tests
)"},
    {"README.md", R"(# Policies of an agent

- `policies/` says what the agent can do and what it may do.
- `tests/` says what the policies must decide.
- `events/` holds calls to try them with.

        ordain check policies tests                              # are they right?
        ordain test policies tests                               # do they decide as expected?
        ordain eval --policies policies --events events/calls.jsonl
        ordain fmt policies tests                                # write them in the canonical layout
        ordain lint policies tests                               # are they wise?
)"},
}};

// Whether nothing is at the path, or an empty directory.
bool is_free(const fs::path& directory) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(directory, error))) return true;
  return fs::is_directory(directory, error) && fs::is_empty(directory, error) && !error;
}

// @returns "" or why the file was not written
std::string write_project_file(const fs::path& directory, const ProjectFile& file) {
  const fs::path path = directory / file.path;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return "cannot create " + path.parent_path().string() + ": " + error.message();
  std::string text(file.text);
  // The formatter's layout is the only one, so the texts above need not have it.
  if (file.path.ends_with(".policy")) {
    if (Result<std::string> formatted = format_policy(text)) text = std::move(*formatted);
  }
  const Result<void> written = write_file(path.string(), text);
  return written ? "" : written.error().message;
}

int run_new(const std::string& name) {
  const fs::path directory(name);
  if (!is_free(directory)) {
    complain(name + " exists already and is not an empty directory");
    return kUsage;
  }
  for (const ProjectFile& file : kProjectFiles) {
    if (const std::string wrong = write_project_file(directory, file); !wrong.empty()) {
      complain(wrong);
      return kUsage;
    }
    print_out("{}\n", (directory / file.path).string());
  }
  print_out("\nnext: cd {} && ordain test policies tests\n", name);
  return kOk;
}

}  // namespace

void add_new(Command parent) {
  auto directory = std::make_shared<std::string>();
  Command command = parent.add_command("new", "Begin a project: policies, tests, events, and a workflow for CI");
  command.add_option("DIR", *directory, "the directory to create; an empty one may be there")
      .names_directory()
      .required();
  command.set_footer("Exit codes: 0 created, 2 wrong usage, the directory is not empty, or a file cannot be written.");
  command.set_action([directory] { return run_new(*directory); });
}

}  // namespace ordain::cli
