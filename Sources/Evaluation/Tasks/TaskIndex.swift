import Storage

/// Knows tasks, groups and tags by their names.
public struct TaskIndex: Sendable {
    /// What a name stands for.
    public enum Kind: String, Sendable {
        /// One task.
        case task
        /// A group, with members and perhaps figures of its own.
        case group
        /// A word that tasks carry; short for all of them.
        case tag
    }

    /// What is known of a name.
    public struct Entry: Sendable {
        /// The name.
        public let name: String
        /// What it stands for.
        public let kind: Kind
        /// The file of a task or group, or its name if it is built in; empty for a tag.
        public let path: String
        /// The output type of a task, as its file spells it; empty for others.
        public let outputType: String
        /// The tasks that carry a tag, sorted.
        public internal(set) var members: [String]
        let file: TaskFile?
    }

    /// The folders with a user's own files.
    let folders: [String]
    /// All names.
    public private(set) var entries: [String: Entry] = [:]
    /// Files that could not be read, and names that replaced others: sentences for the user.
    public private(set) var warnings: [String] = []
    /// The sentences about files that could not be read.
    private(set) var unreadable: [String] = []

    /// Reads the built-in tasks and those below folders.
    ///
    /// - Parameter includePaths: Folders with a user's own files; their names replace built-in ones,
    ///   later folders' those of earlier ones.
    /// - Throws: ``TaskError`` about a built-in file, or `FileError` about a folder; what is wrong with a
    ///   user's file is in ``warnings``, as the file may not be needed.
    public init(includePaths: [String] = []) throws {
        folders = includePaths
        let builtIn = TaskFileReader(.builtIn)
        let files = try BuiltInTasks.names.filter { $0.hasSuffix(".yaml") }.map(builtIn.read)
        try add(files, isBuiltIn: true)
        let reader = TaskFileReader(.disk, folders: includePaths)
        for folder in includePaths {
            var files: [TaskFile] = []
            for path in try reader.paths(below: folder) {
                do {
                    files.append(try reader.read(path))
                } catch {
                    unreadable.append("\(error)")
                    warnings.append("\(error)")
                }
            }
            try add(files, isBuiltIn: false)
        }
        warnings += reader.warnings
    }

    /// Adds the files below a folder to what an index knows; names that it knows stay as they are.
    init(of folder: String, below known: TaskIndex) throws {
        folders = [folder] + known.folders
        let reader = TaskFileReader(.disk, folders: folders)
        var files: [TaskFile] = []
        for path in try reader.paths(below: folder) {
            do {
                files.append(try reader.read(path))
            } catch {
                unreadable.append("\(error)")
            }
        }
        // What is wrong with files that are not needed is nobody's concern.
        try add(files, isBuiltIn: false)
        warnings = reader.warnings
        entries.merge(known.entries) { own, known in known.path.hasPrefix("/") ? known : own }
        unreadable += known.unreadable
    }

    private mutating func add(_ files: [TaskFile], isBuiltIn: Bool) throws {
        var names: Set<String> = []
        var tags: [String: Set<String>] = [:]
        defer { register(tags) }
        for file in files {
            // Files without a name are there to be included.
            guard file.keys["task"] != nil || file.keys["group"] != nil else { continue }
            do {
                let entry = try TaskIndex.entry(file)
                guard names.insert(entry.name).inserted else {
                    warnings.append(
                        "\(quotedPath(file.path)): name \(quoted(entry.name)) is taken by another file of the folder, "
                            + "which counts")
                    continue
                }
                if let old = entries[entry.name], old.kind != .tag, !isBuiltIn {
                    warnings.append(
                        "\(quotedPath(file.path)): \(quoted(entry.name)) replaces that of "
                            + quotedPath(old.path))
                }
                entries[entry.name] = entry
                if entry.kind == .task {
                    for tag in try TaskKeys(file).strings("tag") {
                        tags[tag, default: []].insert(entry.name)
                    }
                }
            } catch {
                if isBuiltIn { throw error }
                unreadable.append("\(error)")
                warnings.append("\(error)")
            }
        }
    }

    private static func entry(_ file: TaskFile) throws(TaskError) -> Entry {
        let kind: Kind = file.keys["group"] != nil ? .group : .task
        let reader = TaskKeys(file)
        return Entry(
            name: try reader.string(kind.rawValue), kind: kind, path: file.path,
            outputType: kind == .task
                ? file.keys["output_type"]?.stringValue ?? OutputType.generateUntil.rawValue : "",
            members: [], file: file)
    }

    /// Adds tags with the tasks that carry them; a task or group of that name counts before a tag.
    private mutating func register(_ tags: [String: Set<String>]) {
        for (tag, tasks) in tags {
            var entry =
                entries[tag]
                ?? Entry(name: tag, kind: .tag, path: "", outputType: "", members: [], file: nil)
            guard entry.kind == .tag else { continue }
            entry.members = tasks.union(entry.members).sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
            entries[tag] = entry
        }
    }

    /// The error for names that stand for nothing.
    func unknown(_ names: [String]) -> TaskError {
        let nearest = names.first.flatMap {
            Spelling.nearest(to: $0, among: entries.keys.sorted())
        }
        return .unknownNames(names, nearest: nearest, unreadable: unreadable)
    }

    /// The entries of a kind, sorted by name.
    ///
    /// - Parameter kind: The kind.
    /// - Returns: The entries.
    public func sorted(_ kind: Kind) -> [Entry] {
        entries.values.filter { $0.kind == kind }.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
    }
}

/// The task files that are part of the program, so that it needs no folder beside it.
enum BuiltInTasks {
    /// The file names, sorted; those without `.yaml` are there to be included.
    static var names: [String] { files.keys.sorted() }

    /// The content of a file.
    static func file(named name: String) -> [UInt8]? { files[name] }

    private static let files = general.merging(mmlu) { first, _ in first }
}

// The list of the embedded files; a test compares it with the folder.

extension BuiltInTasks {
    static let general: [String: [UInt8]] = [
        "arc_challenge.yaml": PackageResources.arc_challenge_yaml,
        "arc_easy.yaml": PackageResources.arc_easy_yaml,
        "boolq.yaml": PackageResources.boolq_yaml,
        "copa.yaml": PackageResources.copa_yaml,
        "hellaswag.yaml": PackageResources.hellaswag_yaml,
        "lambada_openai.yaml": PackageResources.lambada_openai_yaml,
        "lambada_standard.yaml": PackageResources.lambada_standard_yaml,
        "openbookqa.yaml": PackageResources.openbookqa_yaml,
        "piqa.yaml": PackageResources.piqa_yaml,
        "race.yaml": PackageResources.race_yaml,
        "race_v2.yaml": PackageResources.race_v2_yaml,
        "sciq.yaml": PackageResources.sciq_yaml,
        "sst.yaml": PackageResources.sst_yaml,
        "sst2.yaml": PackageResources.sst2_yaml,
        "wikitext.yaml": PackageResources.wikitext_yaml,
        "winogrande.yaml": PackageResources.winogrande_yaml,
        "wsc.yaml": PackageResources.wsc_yaml,
        "wsc273.yaml": PackageResources.wsc273_yaml,
    ]

    static let mmlu: [String: [UInt8]] = [
        "_mmlu.yaml": PackageResources._mmlu_yaml,
        "_mmlu_humanities.yaml": PackageResources._mmlu_humanities_yaml,
        "_mmlu_other.yaml": PackageResources._mmlu_other_yaml,
        "_mmlu_social_sciences.yaml": PackageResources._mmlu_social_sciences_yaml,
        "_mmlu_stem.yaml": PackageResources._mmlu_stem_yaml,
        "_mmlu_subject": PackageResources._mmlu_subject,
        "mmlu_abstract_algebra.yaml": PackageResources.mmlu_abstract_algebra_yaml,
        "mmlu_anatomy.yaml": PackageResources.mmlu_anatomy_yaml,
        "mmlu_astronomy.yaml": PackageResources.mmlu_astronomy_yaml,
        "mmlu_business_ethics.yaml": PackageResources.mmlu_business_ethics_yaml,
        "mmlu_clinical_knowledge.yaml": PackageResources.mmlu_clinical_knowledge_yaml,
        "mmlu_college_biology.yaml": PackageResources.mmlu_college_biology_yaml,
        "mmlu_college_chemistry.yaml": PackageResources.mmlu_college_chemistry_yaml,
        "mmlu_college_computer_science.yaml": PackageResources.mmlu_college_computer_science_yaml,
        "mmlu_college_mathematics.yaml": PackageResources.mmlu_college_mathematics_yaml,
        "mmlu_college_medicine.yaml": PackageResources.mmlu_college_medicine_yaml,
        "mmlu_college_physics.yaml": PackageResources.mmlu_college_physics_yaml,
        "mmlu_computer_security.yaml": PackageResources.mmlu_computer_security_yaml,
        "mmlu_conceptual_physics.yaml": PackageResources.mmlu_conceptual_physics_yaml,
        "mmlu_econometrics.yaml": PackageResources.mmlu_econometrics_yaml,
        "mmlu_electrical_engineering.yaml": PackageResources.mmlu_electrical_engineering_yaml,
        "mmlu_elementary_mathematics.yaml": PackageResources.mmlu_elementary_mathematics_yaml,
        "mmlu_formal_logic.yaml": PackageResources.mmlu_formal_logic_yaml,
        "mmlu_global_facts.yaml": PackageResources.mmlu_global_facts_yaml,
        "mmlu_high_school_biology.yaml": PackageResources.mmlu_high_school_biology_yaml,
        "mmlu_high_school_chemistry.yaml": PackageResources.mmlu_high_school_chemistry_yaml,
        "mmlu_high_school_computer_science.yaml":
            PackageResources.mmlu_high_school_computer_science_yaml,
        "mmlu_high_school_european_history.yaml":
            PackageResources.mmlu_high_school_european_history_yaml,
        "mmlu_high_school_geography.yaml": PackageResources.mmlu_high_school_geography_yaml,
        "mmlu_high_school_government_and_politics.yaml":
            PackageResources.mmlu_high_school_government_and_politics_yaml,
        "mmlu_high_school_macroeconomics.yaml":
            PackageResources.mmlu_high_school_macroeconomics_yaml,
        "mmlu_high_school_mathematics.yaml": PackageResources.mmlu_high_school_mathematics_yaml,
        "mmlu_high_school_microeconomics.yaml":
            PackageResources.mmlu_high_school_microeconomics_yaml,
        "mmlu_high_school_physics.yaml": PackageResources.mmlu_high_school_physics_yaml,
        "mmlu_high_school_psychology.yaml": PackageResources.mmlu_high_school_psychology_yaml,
        "mmlu_high_school_statistics.yaml": PackageResources.mmlu_high_school_statistics_yaml,
        "mmlu_high_school_us_history.yaml": PackageResources.mmlu_high_school_us_history_yaml,
        "mmlu_high_school_world_history.yaml": PackageResources.mmlu_high_school_world_history_yaml,
        "mmlu_human_aging.yaml": PackageResources.mmlu_human_aging_yaml,
        "mmlu_human_sexuality.yaml": PackageResources.mmlu_human_sexuality_yaml,
        "mmlu_international_law.yaml": PackageResources.mmlu_international_law_yaml,
        "mmlu_jurisprudence.yaml": PackageResources.mmlu_jurisprudence_yaml,
        "mmlu_logical_fallacies.yaml": PackageResources.mmlu_logical_fallacies_yaml,
        "mmlu_machine_learning.yaml": PackageResources.mmlu_machine_learning_yaml,
        "mmlu_management.yaml": PackageResources.mmlu_management_yaml,
        "mmlu_marketing.yaml": PackageResources.mmlu_marketing_yaml,
        "mmlu_medical_genetics.yaml": PackageResources.mmlu_medical_genetics_yaml,
        "mmlu_miscellaneous.yaml": PackageResources.mmlu_miscellaneous_yaml,
        "mmlu_moral_disputes.yaml": PackageResources.mmlu_moral_disputes_yaml,
        "mmlu_moral_scenarios.yaml": PackageResources.mmlu_moral_scenarios_yaml,
        "mmlu_nutrition.yaml": PackageResources.mmlu_nutrition_yaml,
        "mmlu_philosophy.yaml": PackageResources.mmlu_philosophy_yaml,
        "mmlu_prehistory.yaml": PackageResources.mmlu_prehistory_yaml,
        "mmlu_professional_accounting.yaml": PackageResources.mmlu_professional_accounting_yaml,
        "mmlu_professional_law.yaml": PackageResources.mmlu_professional_law_yaml,
        "mmlu_professional_medicine.yaml": PackageResources.mmlu_professional_medicine_yaml,
        "mmlu_professional_psychology.yaml": PackageResources.mmlu_professional_psychology_yaml,
        "mmlu_public_relations.yaml": PackageResources.mmlu_public_relations_yaml,
        "mmlu_security_studies.yaml": PackageResources.mmlu_security_studies_yaml,
        "mmlu_sociology.yaml": PackageResources.mmlu_sociology_yaml,
        "mmlu_us_foreign_policy.yaml": PackageResources.mmlu_us_foreign_policy_yaml,
        "mmlu_virology.yaml": PackageResources.mmlu_virology_yaml,
        "mmlu_world_religions.yaml": PackageResources.mmlu_world_religions_yaml,
    ]
}
