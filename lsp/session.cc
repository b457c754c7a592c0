// session.cc queues messages, answers them as JSON-RPC demands, and begins and ends the session.
#include "lsp/session.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "lsp/json.h"
#include "lsp/outline.h"
#include "lsp/uri.h"

namespace ordain::lsp {
namespace {

// An id as JSON; "" if it is neither a number nor a text.
std::string id_json(const Value* id) {
  if (id == nullptr) return "";
  return id->is(Kind::integer) || id->is(Kind::unsigned_integer) || id->is(Kind::string) ? to_json(*id) : "";
}

bool is_object(const Value& value) { return value.is(Kind::map); }

bool has_member(const Value& object, std::string_view key) { return map_find(*object.map, key) != nullptr; }

std::string response_json(std::string_view id, std::string_view key, std::string_view json) {
  return JsonObject().add_text("jsonrpc", "2.0").add_json("id", id.empty() ? "null" : id).add_json(key, json).json();
}

std::string error_json(int code, std::string_view message) {
  return JsonObject().add_number("code", code).add_text("message", message).json();
}

bool lists_text(const Value& params, std::initializer_list<std::string_view> path, std::string_view text) {
  const Value* list = find_value(params, path);
  if (list == nullptr || !list->is(Kind::list)) return false;
  const auto elements = list->as_list();
  return std::any_of(elements.begin(), elements.end(),
                     [&](const Value& each) { return each.is(Kind::string) && each.as_text() == text; });
}

std::vector<std::string> folders_in(const Value& params) {
  std::vector<std::string> out;
  if (const Value* list = find_value(params, {"workspaceFolders"}); list != nullptr && list->is(Kind::list)) {
    for (const Value& folder : list->as_list()) out.push_back(path_of_uri(find_text(folder, {"uri"})));
  } else if (const std::string_view root = find_text(params, {"rootUri"}); !root.empty()) {
    out.push_back(path_of_uri(root));
  }
  return out;
}

std::string server_capabilities(Encoding encoding) {
  JsonObject out;
  out.add_text("positionEncoding", encoding == Encoding::utf8 ? "utf-8" : "utf-16");
  out.add_json("textDocumentSync", R"({"openClose":true,"change":2,"save":{"includeText":false}})");
  out.add_json("workspace", R"({"workspaceFolders":{"supported":true,"changeNotifications":true}})");
  out.add_json("codeActionProvider", R"({"codeActionKinds":["quickfix"]})");
  out.add_flag("documentFormattingProvider", true);
  out.add_flag("hoverProvider", true);
  out.add_json("completionProvider", R"({"triggerCharacters":[".","\""]})");
  out.add_flag("definitionProvider", true);
  out.add_flag("referencesProvider", true);
  out.add_json("renameProvider", R"({"prepareProvider":true})");
  out.add_flag("documentSymbolProvider", true);
  out.add_flag("foldingRangeProvider", true);
  const std::string legend = token_legend_json();
  out.add_json("semanticTokensProvider", JsonObject().add_json("legend", legend).add_flag("full", true).json());
  out.add_json("codeLensProvider", R"({"resolveProvider":false})");
  out.add_flag("inlayHintProvider", true);
  const std::string commands = json_array({json_string(kRunTest), json_string(kExplainLast)});
  out.add_json("executeCommandProvider", JsonObject().add_json("commands", commands).json());
  return out.json();
}

}  // namespace

Session::Session(SessionOptions options) : options_(std::move(options)), workspace_(options_.read) {}

void Session::receive(std::string_view message) {
  Queued queued;
  auto parsed = Document::parse(message);
  if (!parsed) {
    queued.error = kParseError;
    queue_.push_back(std::move(queued));
    return;
  }
  queued.message = std::move(*parsed);
  const Value& root = queued.message.root();
  if (!is_object(root)) {
    queued.error = kInvalidRequest;
    queue_.push_back(std::move(queued));
    return;
  }
  queued.method = std::string(find_text(root, {"method"}));
  queued.id = id_json(find_value(root, {"id"}));
  const bool is_response = queued.method.empty() && (has_member(root, "result") || has_member(root, "error"));
  if (is_response) return;  // to what this server asked, which nothing depends on
  if (queued.method.empty() || (has_member(root, "id") && queued.id.empty())) queued.error = kInvalidRequest;
  if (queued.error == 0 && queued.method == "$/cancelRequest") {
    if (const Value* id = find_value(root, {"params", "id"})) cancel(*id);
    return;
  }
  queue_.push_back(std::move(queued));
}

void Session::cancel(const Value& id) {
  const std::string wanted = id_json(&id);
  for (Queued& queued : queue_) {
    if (!queued.id.empty() && queued.id == wanted) queued.cancelled = true;
  }
}

std::vector<std::string> Session::work(int64_t now_ms) {
  now_ms_ = now_ms;
  try {
    work_once();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& mistake) {
    show_message(1, std::string("the server failed: ") + mistake.what());
  }
  return std::exchange(outgoing_, {});
}

void Session::work_once() {
  if (!queue_.empty()) {
    const Queued queued = std::move(queue_.front());
    queue_.pop_front();
    return handle(queued);
  }
  if (options_.checks_aside) return;
  const std::optional<Check> check = take_check(now_ms_);
  if (!check) return;
  const auto begun = std::chrono::steady_clock::now();
  Findings findings = check->run();
  const auto took = std::chrono::steady_clock::now() - begun;
  publish(*check, std::move(findings), std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
}

std::optional<Check> Session::take_check(int64_t now_ms) {
  const auto first = std::min_element(waiting_.begin(), waiting_.end(),
                                      [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
  if (first == waiting_.end() || first->second.due > now_ms) return std::nullopt;
  const std::string set = first->first;
  waiting_.erase(first);
  return make_check(workspace_, set, *options_.functions);
}

std::vector<std::string> Session::finish_check(const Check& check, Findings findings, int64_t took_ms) {
  if (!shut_down_) publish(check, std::move(findings), took_ms);
  return std::exchange(outgoing_, {});
}

std::optional<int64_t> Session::due() const {
  std::optional<int64_t> out;
  for (const auto& [set, waiting] : waiting_) out = std::min(out.value_or(waiting.due), waiting.due);
  return out;
}

void Session::handle(const Queued& queued) {
  if (ended_) return;
  static const Value kNoParams = Value::null();
  if (queued.error == 0 && queued.id.empty()) {
    const auto found = notifications().find(queued.method);
    const bool ready = initialized_ && !shut_down_;
    if (found == notifications().end() || (!ready && queued.method != "exit")) return;
    const Value* params = find_value(queued.message.root(), {"params"});
    (this->*found->second)(params != nullptr ? *params : kNoParams);
    return;
  }
  const Answer answered = answer(queued);
  if (answered.error != 0) {
    send(response_json(queued.id, "error", error_json(answered.error, answered.message)));
  } else {
    send(response_json(queued.id, "result", answered.result));
  }
}

Session::Answer Session::answer(const Queued& queued) {
  if (queued.error == kParseError) return failed(kParseError, "the message is not JSON");
  if (queued.error != 0) return failed(queued.error, "the message is not a request");
  if (queued.cancelled) return failed(kRequestCancelled, "the client cancelled the request");
  if (!initialized_ && queued.method != "initialize") {
    return failed(kNotInitialized, "the first request must be `initialize`");
  }
  if (shut_down_) return failed(kInvalidRequest, "the server was shut down");
  const auto found = requests().find(queued.method);
  if (found == requests().end()) return failed(kMethodNotFound, "this server has no method " + queued.method);
  static const Value kNoParams = Value::null();
  const Value* params = find_value(queued.message.root(), {"params"});
  try {
    return (this->*found->second)(params != nullptr ? *params : kNoParams);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& mistake) {
    return failed(kInternalError, std::string("the server failed: ") + mistake.what());
  }
}

void Session::show_message(int type, std::string_view text) {
  const std::string params = JsonObject().add_number("type", type).add_text("message", text).json();
  send(JsonObject()
           .add_text("jsonrpc", "2.0")
           .add_text("method", "window/showMessage")
           .add_json("params", params)
           .json());
}

Session::Answer Session::initialize(const Value& params) {
  if (initialized_) return failed(kInvalidRequest, "the session has begun already");
  initialized_ = true;
  if (lists_text(params, {"capabilities", "general", "positionEncodings"}, "utf-8")) encoding_ = Encoding::utf8;
  finding_style_ = {encoding_,
                    find_flag(params, {"capabilities", "textDocument", "publishDiagnostics", "relatedInformation"})};
  snippets_ = find_flag(params, {"capabilities", "textDocument", "completion", "completionItem", "snippetSupport"});
  if (const Value* list = find_value(params, {"initializationOptions", "policies"});
      list != nullptr && list->is(Kind::list)) {
    for (const Value& each : list->as_list()) {
      if (each.is(Kind::string)) subfolders_.emplace_back(each.as_text());
    }
  }
  set_folders(folders_in(params));
  const std::string server = JsonObject().add_text("name", "ordain").add_text("version", options_.version).json();
  return {JsonObject().add_json("capabilities", server_capabilities(encoding_)).add_json("serverInfo", server).json()};
}

// Each folder is a set of policies, unless the client says which folders in it are.
void Session::set_folders(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (folder.empty()) continue;
    if (subfolders_.empty()) workspace_.add_folder(folder);
    for (const std::string& below : subfolders_) {
      workspace_.add_folder(path_of_uri(uri_of_path(below.starts_with('/') ? below : folder + "/" + below)));
    }
  }
}

Session::Answer Session::shut_down(const Value&) {
  shut_down_ = true;
  waiting_.clear();
  return {};
}

void Session::exit(const Value&) { ended_ = true; }

const std::map<std::string_view, Session::Request>& Session::requests() {
  static const std::map<std::string_view, Request> kRequests = {
      {"initialize", &Session::initialize},
      {"shutdown", &Session::shut_down},
      {"textDocument/codeAction", &Session::code_actions},
      {"textDocument/codeLens", &Session::code_lenses},
      {"textDocument/completion", &Session::completion},
      {"textDocument/definition", &Session::definition},
      {"textDocument/documentSymbol", &Session::document_symbols},
      {"textDocument/foldingRange", &Session::folding_ranges},
      {"textDocument/formatting", &Session::format},
      {"textDocument/hover", &Session::hover},
      {"textDocument/inlayHint", &Session::inlay_hints},
      {"textDocument/prepareRename", &Session::prepare_rename},
      {"textDocument/references", &Session::references},
      {"textDocument/rename", &Session::rename},
      {"textDocument/semanticTokens/full", &Session::semantic_tokens},
      {"workspace/executeCommand", &Session::execute_command},
  };
  return kRequests;
}

const std::map<std::string_view, Session::Notification>& Session::notifications() {
  static const std::map<std::string_view, Notification> kNotifications = {
      {"exit", &Session::exit},
      {"textDocument/didOpen", &Session::open_document},
      {"textDocument/didChange", &Session::change_document},
      {"textDocument/didSave", &Session::save_document},
      {"textDocument/didClose", &Session::close_document},
      {"workspace/didChangeWatchedFiles", &Session::change_files},
      {"workspace/didChangeWorkspaceFolders", &Session::change_folders},
  };
  return kNotifications;
}

}  // namespace ordain::lsp
