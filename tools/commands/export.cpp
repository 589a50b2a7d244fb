// export: a trained model in the form in which others run it, with a certificate that what was
// written is what was trained.
#include <filesystem>
#include <iostream>

#include "engine/files/atomic_file.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/report/certificate_page.h"
#include "tools/runs/certificate_text.h"
#include "tools/runs/draft.h"
#include "tools/runs/export_forms.h"
#include "tools/text/format.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Writes a trained model for other programs: a Hugging Face folder, PEFT's adapter, a GGUF
file for llama.cpp, an adapter of GGUF, or a GGUF file with Ollama's Modelfile. What was written is
read again and compared with the trained model: tokens, answers, logits. Where they differ by more
than the stored types explain, nothing is kept and the exit status is 1; else certificate.html and
certificate.json lie beside it.

  afina export runs/lora --to gguf --type q8_0 --out deployed
  afina export --model data/pocket --adapter runs/lora/adapter --to ollama --out ollama
  afina export runs/lora --to gguf-lora --out adapter.gguf)";

struct ExportOptions {
  SubjectOptions subject;
  ExportForm form = ExportForm::gguf;
  GgufType type = GgufType::automatic;
  std::string out, name;
  bool accept = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("run", o.subject.run, Bits::keep, "folder of a run; '--run' may be left out",
      naming(Names::folders));
    v("model,m", o.subject.model, Bits::keep,
      "in place of a run: Hugging Face folder or .gguf file", naming(Names::files));
    v("adapter", o.subject.adapter, Bits::keep, "with --model: the adapter's folder",
      naming(Names::folders));
    v("base", o.subject.base, Bits::keep, subject_base_help);
    v("base-ends", o.subject.base_ends, Bits::keep, base_ends_help);
    v("to", o.form, Bits::keep,
      "hf: folder that transformers opens, adapters merged; peft: the adapter for PEFT; gguf: file "
      "for llama.cpp; gguf-lora: the adapter for llama.cpp; ollama: GGUF file and Modelfile",
      Default{"", true});
    v("type", o.type, Bits::keep,
      "type of the matrices: gguf and ollama take all; hf f32 and bf16; gguf-lora f32, f16, bf16 "
      "and q8_0. auto: of a GGUF file its own, of a model in bf16 bf16, else f16; f32 for folders "
      "and adapters");
    v("out,o", o.out, Bits::keep,
      "folder to be made; of gguf and gguf-lora also the name of a file that ends in .gguf",
      required.naming(Names::files));
    v("name", o.name, Bits::keep,
      "what a GGUF file calls the model; the model's own folder unless given");
    v("accept", o.accept, Bits::keep, "keep what was written even if a check does not hold");
  }
};

// Writes, compares and keeps.
void export_to(Draft& draft, Subject& subject, const ExportOptions& command,
               const QuestionOptions& asked) {
  const bool gguf = command.form == ExportForm::gguf || command.form == ExportForm::gguf_lora,
             single = command.out.ends_with(".gguf");
  const fs::path out = command.out;
  const std::string stem = single ? out.stem().string() + "." : "",
                    file = single                                  ? out.filename().string()
                           : command.form == ExportForm::gguf_lora ? "adapter.gguf"
                                                                   : "model.gguf";
  Certifier certifier(subject, asked);
  const Written written = write_form(command.form, command.type, subject, certifier.trained(),
                                     draft.path(), file, command.name);
  ExportCertificate& certificate = certifier.certificate;
  certificate.notes.insert(certificate.notes.end(), written.notes.begin(), written.notes.end());
  const std::string path = draft.path() + "/" + written.file;
  compare_written(certifier, subject,
                  gguf || command.form == ExportForm::ollama ? path : draft.path(),
                  written.types.empty() ? nullptr : &written.types);
  identify(certificate, path, single ? path : draft.path());
  print_certificate(certificate);
  if (!certificate.holds()) {
    require(command.accept,
            "what was written is not what was trained: ", failed_checks(certificate),
            ". Nothing was kept. Try a --type of more bits (--accept keeps it all the same)");
    certificate.accepted = true;
    std::cout << "warning: a check does not hold; kept because of --accept\n";
  }
  const std::string json = stem + "certificate.json", html = stem + "certificate.html";
  write_text_file(draft.path() + "/" + json, certificate_json(certificate));
  write_text_file(draft.path() + "/" + html, certificate_page(certificate));
  if (single) draft.keep_files({json, html, file});
  else draft.keep();
  std::cout << "written to " << harmless(command.out) << "; the certificate is "
            << harmless(single ? (out.parent_path() / html).string() : command.out + "/" + html)
            << "\n";
}

int export_command(const std::vector<std::string>& words) {
  ExportOptions command;
  QuestionOptions asked;
  Options options("export", intro);
  options.add("Exporting", command);
  options.add("Certificate", asked);
  options.may_lead("run");
  if (!begin(options, words)) return 0;
  const bool gguf = command.form == ExportForm::gguf || command.form == ExportForm::gguf_lora,
             single = command.out.ends_with(".gguf");
  if (single && !gguf)
    throw UsageError("--out " + command.out + ": --to " + word_of(command.form) +
                     " writes a folder, whose name does not end in .gguf");
  Subject subject = open_subject(command.subject);
  // What is not written over is said before hours of work.
  if (single)
    for (const char* name : {"certificate.json", "certificate.html"}) {
      const fs::path out = command.out,
                     beside = out.parent_path() / (out.stem().string() + "." + name);
      require(!fs::exists(fs::symlink_status(beside)), beside.string(),
              ": exists already; remove it, or choose another --out");
    }
  Draft draft(command.out);
  try {
    export_to(draft, subject, command, asked);
  } catch (const UsageError&) { throw; } catch (const Error& error) {
    throw Error(draft.in_words(error.what()));
  }
  return 0;
}

REGISTER_COMMAND("export", "a trained model for llama.cpp, Ollama, transformers or PEFT, certified",
                 export_command);

}  // namespace

}  // namespace afina
