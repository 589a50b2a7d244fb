// certify: is a file that another program wrote the trained model?
#include <filesystem>
#include <iostream>

#include "engine/files/atomic_file.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/report/certificate_page.h"
#include "tools/runs/certificate_text.h"
#include "tools/runs/export_forms.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Compares a model that another program wrote (a converter, a quantiser, PEFT) with the trained
one: tokens, answers and logits, within what the stored types explain. Writes a certificate beside
it; the exit status is 1 where a check does not hold.

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
    v("out,o", o.out, Bits::keep,
      "name of the certificate without its endings .json and .html; beside the file unless given",
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

int certify_command(const std::vector<std::string>& words) {
  CertifyOptions command;
  QuestionOptions asked;
  Options options("certify", intro);
  options.add("Certifying", command);
  options.add("Certificate", asked);
  options.may_lead("file");
  if (!begin(options, words)) return 0;
  std::error_code ignored;
  require(fs::exists(command.file, ignored), command.file, ": no such file or folder");
  const bool run = fs::exists(command.against + "/run.json", ignored);
  (run ? command.subject.run : command.subject.model) = command.against;
  const std::string main = main_file(command.file);
  const bool folder = fs::is_directory(command.file, ignored);
  fs::path beside = command.file;
  std::string stem = command.out;
  if (stem.empty())
    stem = folder ? (beside / "certificate").string()
                  : (beside.parent_path() / (beside.stem().string() + ".certificate")).string();
  for (const char* ending : {".json", ".html"})
    require(!fs::exists(stem + ending, ignored), stem + ending,
            ": exists already; remove it, or name another certificate with --out");
  Subject subject = open_subject(command.subject);
  Certifier certifier(subject, asked);
  compare_written(certifier, subject, command.file, nullptr);
  ExportCertificate& certificate = certifier.certificate;
  identify(certificate, main);
  print_certificate(certificate);
  write_text_file(stem + ".json", certificate_json(certificate));
  write_text_file(stem + ".html", certificate_page(certificate));
  std::cout << "the certificate is " << stem << ".html\n";
  require(certificate.holds(), command.file,
          ": is not what was trained: ", failed_checks(certificate));
  return 0;
}

REGISTER_COMMAND("certify", "compare what other programs wrote with the trained model",
                 certify_command);

}  // namespace

}  // namespace afina
