// certify: is a file that another program wrote the trained model?
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "engine/files/atomic_file.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/report/certificate_page.h"
#include "tools/runs/certificate_text.h"
#include "tools/runs/export_forms.h"
#include "tools/text/format.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Compares a model that another program wrote (a converter, a quantiser, PEFT) with the trained
one: tokens, answers and logits, within what the stored types explain. Writes a certificate beside
it. The exit status is 0 where all checks hold, 1 where one does not, 2 for an error.

  afina certify model-q4_k_m.gguf --against runs/lora
  afina certify merged --against data/pocket --adapter runs/lora/adapter)";

struct CertifyOptions {
  std::string file, out;
  SubjectOptions subject;
  std::string against;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("file", o.file, Bits::keep,
      "what was written: a .gguf file, a model's folder or an adapter's; '--file' may be left out",
      required.naming(Names::files));
    v("against", o.against, Bits::keep, "the trained model: folder of a run, or a model",
      required.naming(Names::files));
    v("adapter", o.subject.adapter, Bits::keep, "where --against is a model: its adapter's folder",
      naming(Names::folders));
    v("base", o.subject.base, Bits::keep, subject_base_help);
    v("base-ends", o.subject.base_ends, Bits::keep, base_ends_help);
    v("out,o", o.out, Bits::keep,
      "name of the certificate, which gets the endings .json and .html, or a folder for it; beside "
      "the file unless given",
      naming(Names::files));
  }
};

// The file by which a model or an adapter is known.
std::string main_file(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  for (const char* name :
       {"adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json"})
    if (fs::exists(path + "/" + name, ignored)) return path + "/" + name;
  return model_file(path);
}

// The certificate's name without its endings, and a place where it can be written: both are said
// before hours of comparing.
std::string stem_of(const CertifyOptions& command) {
  std::error_code ignored;
  std::string stem = command.out;
  for (const char* ending : {".json", ".html"})
    if (stem.ends_with(ending)) stem.resize(stem.size() - 5);
  const fs::path beside = command.file;
  if (!stem.empty() && (stem.ends_with('/') || fs::is_directory(stem, ignored)))
    stem = (fs::path(stem) / "certificate").string();
  if (stem.empty())
    stem = fs::is_directory(beside, ignored)
               ? (beside / "certificate").string()
               : (beside.parent_path() / (beside.stem().string() + ".certificate")).string();
  for (const char* ending : {".json", ".html"})
    require(!fs::exists(fs::symlink_status(stem + ending, ignored)), stem, ending,
            ": exists already; remove it, or name another certificate with --out");
  fs::path folder = fs::path(stem).parent_path();
  if (folder.empty()) folder = ".";
  require(fs::is_directory(folder, ignored), stem, ": there is no folder ", folder.string(),
          " for the certificate; make it, or name another place with --out");
  require(access(folder.c_str(), W_OK) == 0, stem, ": the folder ", folder.string(),
          " cannot be written into; name another place with --out");
  return stem;
}

// Do all checks hold?
bool certified(CertifyOptions& command, const QuestionOptions& asked) {
  std::error_code ignored;
  require(fs::exists(command.file, ignored), command.file, ": no such file or folder");
  const bool run = fs::exists(command.against + "/run.json", ignored);
  (run ? command.subject.run : command.subject.model) = command.against;
  const std::string main = main_file(command.file), stem = stem_of(command);
  Subject subject = open_subject(command.subject);
  Certifier certifier(subject, asked);
  compare_written(certifier, subject, command.file, nullptr);
  ExportCertificate& certificate = certifier.certificate;
  identify(certificate, main, command.file);
  print_certificate(certificate);
  write_text_file(stem + ".json", certificate_json(certificate));
  write_text_file(stem + ".html", certificate_page(certificate));
  std::cout << "the certificate is " << harmless(stem) << ".html\n" << std::flush;
  if (!certificate.holds())
    std::cerr << "error: "
              << harmless(command.file + ": is not what was trained: " + failed_checks(certificate))
              << "\n";
  return certificate.holds();
}

int certify_command(const std::vector<std::string>& words) {
  CertifyOptions command;
  QuestionOptions asked;
  Options options("certify", intro);
  options.add("Certifying", command);
  options.add("Certificate", asked);
  options.may_lead("file");
  if (!begin(options, words)) return 0;
  // 1 means that a check does not hold, so that an error has to be another number.
  return status_of_findings([&] { return certified(command, asked); });
}

REGISTER_COMMAND("certify", "compare what other programs wrote with the trained model",
                 certify_command);

}  // namespace

}  // namespace afina
