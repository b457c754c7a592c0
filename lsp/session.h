// session.h is the language server without its streams: messages go in, messages come out. It reads
// policy files through a function, looks at no clock, and starts no thread, so tests need no process.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/findings.h"
#include "lsp/model.h"
#include "lsp/text_lines.h"
#include "lsp/workspace.h"
#include "ordain/function.h"
#include "ordain/json.h"

namespace ordain::lsp {

/// Error codes of JSON-RPC and of the protocol.
enum ErrorCode : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kNotInitialized = -32002,
  kRequestFailed = -32803,
  kRequestCancelled = -32800,
};

struct SessionOptions {
  ReadSources read;                          ///< reads files
  const FunctionTable* functions = nullptr;  ///< what expressions may call; must outlive the session
  std::string version;                       ///< of the server, for the client
  /// Diagnostics follow a change once there was no other for so long, or for twice the time that the last ones took.
  int64_t quiet_ms = 120;
  /// Whether the owner takes the checks that are due and runs them, so that requests need not wait for them. Otherwise
  /// `work` runs them.
  bool checks_aside = false;
};

/// One client's session. Not thread-safe.
///
/// Messages are queued as they arrive and answered one by one, so that a request can be cancelled while it waits.
class Session {
 public:
  explicit Session(SessionOptions options);

  /// Takes a message. One that cancels a waiting request has effect at once.
  void receive(std::string_view message);
  /// How many messages wait.
  size_t waiting() const { return queue_.size(); }
  /// Handles the next message; or, if none waits and checks are not run aside, computes the diagnostics that are due.
  /// @returns the messages to send
  std::vector<std::string> work(int64_t now_ms);
  /// The check whose diagnostics are due, if one is. Its findings are given to `finish_check`.
  std::optional<Check> take_check(int64_t now_ms);
  /// @param took_ms how long the check ran
  /// @returns the messages to send. Where a document has changed since, they name the version that was read.
  std::vector<std::string> finish_check(const Check& check, Findings findings, int64_t took_ms);
  /// When diagnostics are due next.
  std::optional<int64_t> due() const;
  bool ended() const { return ended_; }
  /// 0 if the client shut the server down before it ended the session.
  int exit_code() const { return shut_down_ ? 0 : 1; }

 private:
  struct Queued {
    Document message;
    std::string method;
    std::string id;  ///< as JSON; "" for a notification
    int error = 0;   ///< what is wrong with the message, if not 0
    bool cancelled = false;
  };
  struct Answer {
    std::string result = "null";
    int error = 0;
    std::string message;  ///< of an error
  };
  struct Waiting {
    int64_t due = 0;
    int64_t since = 0;
  };
  struct Checked {
    Findings findings;
    std::map<std::string, std::string>
        published;  ///< by URI: the diagnostics that the client has; no entry if there are none
  };
  using Request = Answer (Session::*)(const Value& params);
  using Notification = void (Session::*)(const Value& params);

  static Answer failed(int code, std::string message) { return {"null", code, std::move(message)}; }
  static const std::map<std::string_view, Request>& requests();
  static const std::map<std::string_view, Notification>& notifications();

  void cancel(const Value& id);
  void work_once();
  void handle(const Queued& queued);
  Answer answer(const Queued& queued);
  void send(std::string message) { outgoing_.push_back(std::move(message)); }
  void show_message(int type, std::string_view text);

  // --- session.cc
  Answer initialize(const Value& params);
  Answer shut_down(const Value& params);
  void exit(const Value& params);
  void set_folders(const std::vector<std::string>& folders);

  // --- session_sync.cc: documents and diagnostics
  void open_document(const Value& params);
  void change_document(const Value& params);
  void save_document(const Value& params);
  void close_document(const Value& params);
  void change_files(const Value& params);
  void change_folders(const Value& params);
  bool apply_change(OpenDocument& document, const Value& change, int64_t version);
  void touch(const std::string& set);
  void touch_all();
  void publish(const Check& check, Findings findings, int64_t took_ms);
  const Findings* known_findings(const OpenDocument& document) const;
  const Findings& findings_of(const OpenDocument& document);

  // --- session_edits.cc: changes that the client can make
  Answer code_actions(const Value& params);
  Answer format(const Value& params);
  /// The document that `params` name, or nullptr.
  OpenDocument* document_of(const Value& params);

  // --- session_names.cc: names at a place
  /// A place in a document and the set that it belongs to.
  struct Cursor {
    SetModel* model = nullptr;
    const OpenDocument* document = nullptr;
    uint32_t file = 0;
    size_t offset = 0;
  };
  SetModel& model_of(const OpenDocument& document);
  std::optional<Cursor> cursor_of(const Value& params);
  std::string location_json(const SetModel& model, const Span& span) const;
  Answer hover(const Value& params);
  Answer completion(const Value& params);
  Answer definition(const Value& params);
  Answer references(const Value& params);
  Answer prepare_rename(const Value& params);
  Answer rename(const Value& params);

  // --- session_outline.cc: whole documents
  Answer document_symbols(const Value& params);
  Answer folding_ranges(const Value& params);
  Answer semantic_tokens(const Value& params);
  Answer code_lenses(const Value& params);
  Answer execute_command(const Value& params);
  Answer inlay_hints(const Value& params);
  Answer run_test(const OpenDocument& document, const std::string& name, bool explains);

  struct ModelOfSet {
    ParseCache trees;
    std::unique_ptr<SetModel> model;
  };

  SessionOptions options_;
  Workspace workspace_;
  Encoding encoding_ = Encoding::utf16;
  FindingStyle finding_style_;
  std::vector<std::string> subfolders_;  // the sets below each folder of the workspace, if the client names them
  std::deque<Queued> queue_;
  std::vector<std::string> outgoing_;
  std::map<std::string, Waiting> waiting_;  // by set: diagnostics to compute
  std::map<std::string, Checked> checked_;  // by set
  int64_t now_ms_ = 0;
  int64_t last_check_ms_ = 0;
  std::map<std::string, ModelOfSet> models_;  // by set
  bool snippets_ = false;                     // the client inserts snippets
  bool initialized_ = false;
  bool shut_down_ = false;
  bool ended_ = false;
};

}  // namespace ordain::lsp
