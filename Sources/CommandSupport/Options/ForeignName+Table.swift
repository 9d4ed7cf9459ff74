extension ForeignName {
    /// Every name, in the groups of `docs/names.md`, which a test compares with it.
    ///
    /// Looked up in transformers 5.24, TRL, unsloth 2026.10, axolotl 0.19, LLaMA-Factory 0.9.5, mlx-lm 0.32.2,
    /// torchtune 0.6.1, lm-evaluation-harness 0.4.13, llama.cpp and ollama of November 2026.
    package static let groups: [(title: String, lines: [ForeignName])] = [
        ("Models and data", models), ("The run", run), ("Optimisation", optimisation),
        ("Adapters", adapters), ("Memory and machine", machine), ("Scoring", scoring),
        ("Answers", answers),
    ]

    /// All of them.
    package static let all = groups.flatMap(\.lines)

    private static let types = [
        "bf16": "bfloat16", "fp32": "float32", "float": "float32", "torch.bfloat16": "bfloat16",
        "torch.float32": "float32", "auto": "float32",
    ]

    private static let models = [
        ForeignName(
            "model_name_or_path base_model model_name model_path pretrained checkpointer.checkpoint_dir",
            "Hugging Face, TRL, unsloth, axolotl, LLaMA-Factory, torchtune", .same("--model"),
            Command.allCases),
        ForeignName("-m", "llama.cpp", .same("--model"), [.chat]),
        ForeignName("-M", "harness", .same("--model"), [.evaluate]),
        ForeignName("hf_repo -hf -hfr", "llama.cpp", .same("--model"), [.chat]),
        ForeignName(
            "train_file dataset_name dataset data_path train_data datasets.path dataset.source "
                + "dataset.data_files datasets.data_files",
            "Hugging Face, TRL, axolotl, LLaMA-Factory, torchtune", .same("--data")),
        ForeignName(
            "dataset_dir", "LLaMA-Factory",
            .instead("is a folder of named data sets", write: "the file's path into --data")),
        ForeignName(
            "validation_file eval_file val_data eval_dataset test_datasets.path",
            "Hugging Face, axolotl, LLaMA-Factory", .same("--valid")),
        ForeignName("val_set_size test_size", "axolotl, unsloth", .same("--val-size")),
        ForeignName(
            "validation_split_percentage", "Hugging Face",
            .instead("is a percentage", write: "--val-size, 0.05 for 5")),
        ForeignName(
            "max_samples max_train_samples", "LLaMA-Factory, Hugging Face",
            .instead(
                "takes the first records", write: "--data with a file of as many lines (head -n)")),
        ForeignName(
            "cutoff_len sequence_len max_length max_seq_len model_max_length block_size "
                + "tokenizer.max_seq_len", "all but mlx-lm", .same("--max-seq-length")),
        ForeignName(
            "datasets.type dataset._component_ formatting", "axolotl, torchtune, LLaMA-Factory",
            .instead(
                "chooses fields and prompt at once",
                write:
                    "--data-format (auto, alpaca, completions, chat, text or ids) and --template "
                    + "(alpaca for Stanford's preamble, chat for the tokenizer's)")),
        ForeignName(
            "chat_template", "TRL, axolotl",
            .instead(
                "names a built-in template",
                write: "--template chat for the tokenizer's own, or a "
                    + "Jinja file")),
        ForeignName(
            "train_on_inputs train_on_prompt dataset.train_on_input",
            "axolotl, LLaMA-Factory, torchtune",
            .only(["false"], otherwise: "prompts are never scored; --data-format text scores all")),
        ForeignName(
            "mask_prompt completion_only_loss assistant_only_loss", "mlx-lm, TRL",
            .only(["true"], otherwise: "prompts are never scored; --data-format text scores all")),
        ForeignName(
            "packing eval_packing sample_packing eval_sample_packing neat_packing dataset.packed",
            "TRL, axolotl, LLaMA-Factory, torchtune",
            .only(["false"], otherwise: "records are never packed, so --batch-size counts records")),
        ForeignName(
            "special_tokens add_tokens new_special_tokens resize_vocab eos_token pad_token",
            "axolotl, LLaMA-Factory, TRL",
            .instead(
                "changes the vocabulary",
                write: "it into the model's tokenizer files before, or leave it out")),
        ForeignName(
            "dataset_text_field text_feature prompt_feature completion_feature chat_feature "
                + "datasets.field datasets.field_instruction datasets.field_input datasets.field_output "
                + "datasets.field_system datasets.field_messages datasets.message_property_mappings "
                + "dataset.column_map columns.prompt columns.query columns.response columns.system "
                + "columns.messages",
            "TRL, mlx-lm, axolotl, torchtune, LLaMA-Factory",
            .instead(
                "gives a column the name of a field",
                write:
                    "--columns with pairs, as in instruction=question,output=answer or text=content"
            )),
        ForeignName(
            "mix_strategy interleave_probs", "LLaMA-Factory",
            .instead(
                "draws from data sets by chance",
                write: "--data-weights, how often the records of each --data are seen in an epoch")),
        ForeignName(
            "dataset_split dataset_config dataset_train_split dataset_test_split dataset.split",
            "TRL, torchtune",
            .instead("chooses a part of a data set", write: "--data with that part's file")),
    ]

    private static let run = [
        ForeignName("chat_template_path", "TRL", .same("--template")),
        ForeignName(
            "truncation_mode", "TRL",
            .same("--truncation", values: ["keep_start": "keep-start"])),
        ForeignName("disable_shuffling", "LLaMA-Factory", .flag("--no-shuffle")),
        ForeignName(
            "shuffle_dataset", "TRL", .only(["true"], otherwise: "write --no-shuffle")),
        ForeignName(
            "model_revision", "TRL, LLaMA-Factory",
            .only(["main"], otherwise: "give the folder of that revision with --model")),
        ForeignName("loss_type", "TRL", .only(["nll"], otherwise: "the loss is the cross-entropy")),
        ForeignName("-c", "mlx-lm", .same("--config")),
        ForeignName("-C", "harness", .same("--config"), [.evaluate]),
        ForeignName(
            "out_dir output save_dir checkpointer.output_dir", "several", .same("--output-dir")),
        ForeignName(
            "adapter_path adapter_file", "mlx-lm", .same("--output-dir")),
        ForeignName(
            "adapter_path adapter_file adapter_name_or_path lora_model_dir peft_model",
            "mlx-lm, axolotl, LLaMA-Factory", .same("--adapter"), [.merge, .evaluate]),
        ForeignName(
            "save_path export_dir output_dir output_path", "mlx-lm, LLaMA-Factory, axolotl",
            .same("--output"), [.merge]),
        ForeignName(
            "overwrite_output_dir", "Hugging Face, LLaMA-Factory", .flag("--overwrite"),
            [.train, .merge]),
        ForeignName(
            "resume_from_checkpoint", "Hugging Face, axolotl, torchtune", .flag("--resume")),
        ForeignName(
            "auto_resume_from_checkpoints", "axolotl", .flag("--resume")),
        ForeignName("save_every", "mlx-lm", .same("--save-steps")),
        ForeignName(
            "steps_per_report log_every_n_steps", "mlx-lm, torchtune", .same("--logging-steps")),
        ForeignName("eval_steps", "Hugging Face, axolotl", .same("--steps-per-eval")),
        ForeignName(
            "evals_per_epoch saves_per_epoch", "axolotl",
            .instead(
                "counts by epochs",
                write: "--steps-per-eval and --save-steps: the steps of an epoch "
                    + "divided by it, as --dry-run tells them")),
        ForeignName(
            "eval_strategy evaluation_strategy save_strategy logging_strategy", "Hugging Face",
            .only(
                ["steps"],
                otherwise: "write --steps-per-eval, --save-steps or --logging-steps: the "
                    + "steps of an epoch, as --dry-run tells them, or many for never")),
        ForeignName(
            "load_best_model_at_end", "Hugging Face, axolotl", .flag("--save-best")),
        ForeignName(
            "metric_for_best_model", "Hugging Face",
            .only(
                ["eval_loss", "loss"],
                otherwise: "the best checkpoint is that of the least held-out loss")),
        ForeignName(
            "greater_is_better", "Hugging Face",
            .only(["false"], otherwise: "the best checkpoint is that of the least held-out loss")),
        ForeignName(
            "use_tensorboard", "axolotl",
            .only(["false"], otherwise: "write --report-to tensorboard")),
        ForeignName(
            "wandb_project wandb_entity wandb_watch wandb_name wandb_log_model use_wandb "
                + "metric_logger._component_ metric_logger.log_dir mlflow_tracking_uri project_name",
            "axolotl, torchtune, mlx-lm",
            .instead(
                "reports to a service",
                write: "--report-to tensorboard, whose files Weights & Biases "
                    + "reads, too (sync_tensorboard)")),
        ForeignName(
            "push_to_hub", "Hugging Face",
            .only(["false"], otherwise: "a run uploads nothing; its output folder can be uploaded")),
        ForeignName(
            "hub_model_id hub_token", "Hugging Face, axolotl",
            .instead("is for uploads", write: "it where the output folder is uploaded")),
        ForeignName(
            "do_train train", "Hugging Face, mlx-lm",
            .only(["true"], otherwise: "this command trains; mtl-eval scores")),
        ForeignName(
            "do_eval do_predict test", "Hugging Face, mlx-lm",
            .only(["false"], otherwise: "--valid or --val-size validates, mtl-eval scores")),
        ForeignName(
            "stage", "LLaMA-Factory",
            .only(["sft"], otherwise: "fine-tuning on records is all there is")),
        ForeignName(
            "plot_loss", "LLaMA-Factory", .unneeded(takesValue: false)),
        ForeignName(
            "data_seed", "Hugging Face",
            .instead("seeds the order alone", write: "--seed, which seeds all")),
    ]

    private static let optimisation = [
        ForeignName("lr optimizer.lr", "torchtune, short", .same("--learning-rate")),
        ForeignName(
            "lr_scheduler scheduler", "axolotl", .same("--lr-scheduler-type")),
        ForeignName(
            "lr_schedule lr_schedule.name lr_schedule.arguments lr_schedule.warmup "
                + "lr_schedule.warmup_init lr_scheduler._component_", "mlx-lm, torchtune",
            .instead(
                "is a function",
                write: "--lr-scheduler-type (constant, constant_with_warmup, linear "
                    + "or cosine) and --warmup-steps")),
        ForeignName(
            "warmup_ratio num_warmup_steps warmup lr_scheduler.num_warmup_steps",
            "Hugging Face, axolotl, torchtune", .same("--warmup-steps")),
        ForeignName("optimizer.weight_decay", "torchtune", .same("--weight-decay")),
        ForeignName("clip_grad_norm gradient_clipping", "torchtune", .same("--max-grad-norm")),
        ForeignName(
            "optim optimizer optimizer._component_", "Hugging Face, axolotl, mlx-lm, torchtune",
            .only(
                [
                    "adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw", "torch.optim.adamw",
                ], otherwise: "the optimiser is AdamW with moments in float32")),
        ForeignName(
            "per_device_train_batch_size micro_batch_size",
            "Hugging Face, TRL, axolotl, LLaMA-Factory", .same("--batch-size")),
        ForeignName(
            "grad_accumulation_steps gradient_accumulation grad_accum_steps", "mlx-lm, axolotl",
            .same("--gradient-accumulation-steps")),
        ForeignName(
            "num_epochs epochs num_train_epoch n_epochs", "axolotl, torchtune",
            .same("--num-train-epochs")),
        ForeignName(
            "iters", "mlx-lm",
            .instead(
                "counts batches",
                write: "--max-steps, that number divided by "
                    + "--gradient-accumulation-steps")),
        ForeignName(
            "max_steps_per_epoch", "torchtune",
            .instead("counts by epochs", write: "--max-steps, that number times --num-train-epochs")
        ),
        ForeignName(
            "auto_find_batch_size", "Hugging Face",
            .instead("looks for a batch that fits", write: "--batch-size auto")),
        ForeignName(
            "use_galore use_apollo use_badam use_adam_mini use_muon", "LLaMA-Factory",
            .only(["false"], otherwise: "the optimiser is AdamW with moments in float32")),
        ForeignName(
            "loraplus_lr_ratio", "LLaMA-Factory, axolotl",
            .only(["1", "1.0"], otherwise: "both factors of an adapter have one learning rate")),
        ForeignName(
            "per_device_eval_batch_size eval_batch_size val_batches test_batches",
            "Hugging Face, mlx-lm",
            .unneeded()),
        ForeignName(
            "group_by_length", "Hugging Face, axolotl",
            .only(
                ["false"], otherwise: "records come in random order; --no-shuffle keeps the file's")
        ),
        ForeignName(
            "label_smoothing_factor neftune_noise_alpha", "Hugging Face, TRL",
            .only(["0", "0.0"], otherwise: "leave it out: there is no such thing here")),
        ForeignName("loss._component_", "torchtune", .unneeded()),
    ]

    private static let adapters = [
        ForeignName(
            "lora_rank r rank lora_parameters.rank model.lora_rank",
            "LLaMA-Factory, peft, mlx-lm, torchtune",
            .same("--lora-r")),
        ForeignName("model.lora_alpha", "torchtune", .same("--lora-alpha")),
        ForeignName(
            "lora_parameters.dropout model.lora_dropout", "mlx-lm, torchtune",
            .same("--lora-dropout")),
        ForeignName(
            "lora_parameters.scale scale", "mlx-lm",
            .instead(
                "is alpha divided by the rank", write: "--lora-alpha, that number times --lora-r")),
        ForeignName(
            "lora_target target_modules lora_parameters.keys model.lora_attn_modules",
            "LLaMA-Factory, peft, mlx-lm, torchtune",
            .same("--lora-target-modules", values: ["all": "all-linear"])),
        ForeignName(
            "lora_target_linear model.apply_lora_to_mlp", "axolotl, torchtune",
            .only(["false"], otherwise: "write --lora-target-modules all-linear")),
        ForeignName(
            "num_layers lora_layers", "mlx-lm",
            .only(["-1"], otherwise: "adapters are in all layers, which is -1")),
        ForeignName(
            "adapter", "axolotl",
            .only(["lora"], otherwise: "for all weights write --fine-tune-type full")),
        ForeignName(
            "finetuning_type", "LLaMA-Factory", .same("--fine-tune-type")),
        ForeignName(
            "use_peft use_lora", "TRL", .only(["true"], otherwise: "write --fine-tune-type full")),
        ForeignName(
            "full_finetuning", "unsloth", .only(["false"], otherwise: "write --fine-tune-type full")
        ),
        ForeignName(
            "resume_adapter_file lora_model_dir adapter_name_or_path",
            "mlx-lm, axolotl, LLaMA-Factory",
            .same("--init-adapter")),
        ForeignName(
            "use_dora peft_use_dora use_rslora peft_use_rslora pissa_init lora_fan_in_fan_out model.use_dora",
            "TRL, axolotl, LLaMA-Factory, torchtune",
            .only(["false"], otherwise: "adapters are plain LoRA, scaled by alpha / rank")),
        ForeignName(
            "lora_bias bias", "TRL, peft",
            .only(["none", "false"], otherwise: "biases are not trained")),
        ForeignName(
            "lora_modules_to_save modules_to_save additional_target", "TRL, peft, LLaMA-Factory",
            .instead(
                "trains modules beside the adapters",
                write: "--fine-tune-type full for all weights, or leave it out")),
        ForeignName(
            "lora_task_type task_type", "TRL, peft",
            .only(["causal_lm"], otherwise: "models are language models")),
    ]

    private static let machine = [
        ForeignName(
            "bf16", "Hugging Face, axolotl, LLaMA-Factory",
            .only(
                ["false", "auto"],
                otherwise: "write --dtype bfloat16, which keeps frozen weights in half "
                    + "the memory; what is trained is float32")),
        ForeignName(
            "fp16 pure_bf16", "Hugging Face",
            .only(["false"], otherwise: "write --dtype bfloat16 or leave it out")),
        ForeignName(
            "torch_dtype dtype precision", "Hugging Face, torchtune, unsloth",
            .same("--dtype", values: types), [.train, .evaluate, .chat]),
        ForeignName(
            "load_in_8bit load_in_4bit quantization_bit qlora_sharded_model_loading",
            "Hugging Face, axolotl, unsloth, LLaMA-Factory",
            .only(
                ["false"], otherwise: "write --dtype bfloat16, or int8 for scoring and talking"),
            [.train, .evaluate, .chat]),
        ForeignName(
            "device device_map", "Hugging Face, harness, torchtune",
            .only(["cpu", "auto"], otherwise: "there are only processors here; leave it out"),
            [.train, .evaluate, .chat]),
        ForeignName(
            "use_cpu no_cuda", "Hugging Face",
            .only(["true"], otherwise: "there are only processors here; leave it out")),
        ForeignName(
            "num_threads num_thread threads_batch -t -tb", "llama.cpp, ollama", .same("--threads"),
            [.chat]),
        ForeignName(
            "gradient_checkpointing use_gradient_checkpointing grad_checkpoint activation_offloading "
                + "enable_activation_checkpointing enable_activation_offloading flash_attention flash_attn "
                + "xformers_attention sdp_attention tf32 torch_compile compile low_cpu_mem_usage debug strict "
                + "ddp_find_unused_parameters remove_unused_columns pad_to_sequence_len overwrite_cache "
                + "optimizer.fused save_only_model save_safetensors log_peak_memory_stats is_llama_derived_model "
                + "save_adapter_weights_only use_unsloth use_unsloth_gc enable_liger_kernel use_liger_kernel "
                + "use_fast_tokenizer streaming data_shared_file_system ignore_pad_token_for_loss padding_free "
                + "include_num_input_tokens_seen logging_first_step disable_tqdm eval_on_start "
                + "dataloader_pin_memory dataloader_persistent_workers skip_memory_metrics full_determinism "
                + "prediction_loss_only", "all", .unneeded(takesValue: false)),
        ForeignName(
            "cache_dir tokenized_path buffer_size preprocessing_batch_size run_name log_level log_level_replica "
                + "logging_nan_inf_filter ddp_backend ddp_bucket_cap_mb dataloader_prefetch_factor pad_to_multiple_of "
                + "packing_strategy eval_accumulation_steps torch_compile_backend torch_compile_mode "
                + "deepspeed fsdp fsdp_config local_rank ddp_timeout dataloader_num_workers dataset_num_proc "
                + "preprocessing_num_workers dataset_processes attn_implementation gradient_checkpointing_kwargs "
                + "dataset_prepared_path model_type tokenizer_type eval_table_size clear_cache_threshold "
                + "checkpointer._component_ checkpointer.checkpoint_files checkpointer.model_type "
                + "checkpointer.recipe_checkpoint tokenizer._component_ tokenizer.path model._component_ "
                + "profiler",
            "all", .unneeded()),
        ForeignName(
            "trust_remote_code", "Hugging Face, harness", .unneeded(takesValue: false),
            [.train, .evaluate, .chat]),
    ]

    private static let scoring = [
        ForeignName(
            "model_args model_args.pretrained", "harness", .same("--model"), [.evaluate]),
        ForeignName(
            "-a", "harness", .instead("is short for --model_args", write: "--model_args"),
            [.evaluate]),
        ForeignName(
            "model_args.peft model_args.lora_local_path peft", "harness", .same("--adapter"),
            [.evaluate]),
        ForeignName("model_args.dtype", "harness", .same("--dtype", values: types), [.evaluate]),
        ForeignName("model_args.max_length", "harness", .same("--max-length"), [.evaluate]),
        ForeignName(
            "model_args.trust_remote_code model_args.parallelize model_args.device_map model_args.device "
                + "model_args.backend model_args.use_fast_tokenizer model_args.low_cpu_mem_usage "
                + "model_args.attn_implementation", "harness", .unneeded(), [.evaluate]),
        ForeignName(
            "model_args.add_bos_token model_args.prefix_token_id", "harness",
            .only(
                ["false"], otherwise: "nothing is put before a context but what the tokenizer says"),
            [.evaluate]),
        ForeignName("task -t", "harness", .same("--tasks"), [.evaluate]),
        ForeignName("-f", "harness", .same("--num-fewshot"), [.evaluate]),
        ForeignName("-b per_device_eval_batch_size", "harness", .same("--batch-size"), [.evaluate]),
        ForeignName("-o output_dir", "harness", .same("--output-path"), [.evaluate]),
        ForeignName("-L max_samples", "harness, LLaMA-Factory", .same("--limit"), [.evaluate]),
        ForeignName("-s", "harness", .flag("--log-samples"), [.evaluate]),
        ForeignName("-w", "harness", .flag("--write-out"), [.evaluate]),
        ForeignName(
            "use_cache -c", "harness",
            .instead("keeps answers in a file", write: "--resume with the same --output-path"),
            [.evaluate]),
        ForeignName(
            "samples -E", "harness",
            .instead("chooses documents by number", write: "--limit for the first ones"),
            [.evaluate]),
        ForeignName(
            "apply_chat_template fewshot_as_multiturn", "harness",
            .only(
                ["false"],
                otherwise: "prompts are scored as the task writes them, without a chat template"),
            [.evaluate]),
        ForeignName(
            "predict_only -x", "harness",
            .instead(
                "keeps answers without scores",
                write: "--log-samples and --output-path, which keep both"), [.evaluate]),
        ForeignName(
            "wandb_args wandb_config_args trackio_args hf_hub_log_args", "harness",
            .instead(
                "reports to a service", write: "--output-path, whose files have the harness's form"),
            [.evaluate]),
        ForeignName(
            "max_batch_size verbosity -v cache_requests metadata", "harness", .unneeded(),
            [.evaluate]),
        ForeignName(
            "check_integrity show_config", "harness",
            .instead("shows how tasks are made", write: "--write-out for a task's first document"),
            [.evaluate]),
    ]

    private static let answers = [
        ForeignName("temperature", "Hugging Face, ollama", .same("--temp"), [.chat]),
        ForeignName(
            "max_new_tokens n_predict predict num_predict -n",
            "Hugging Face, llama.cpp, ollama",
            .same("--max-tokens"), [.chat]),
        ForeignName(
            "max_length", "Hugging Face",
            .instead("counts the prompt, too", write: "--max-tokens, which counts the answer"),
            [.chat]),
        ForeignName(
            "repetition_penalty", "Hugging Face, mlx-lm", .same("--repeat-penalty"), [.chat]),
        ForeignName(
            "repetition_context_size", "mlx-lm", .same("--repeat-last-n"), [.chat]),
        ForeignName("rng_seed -s", "llama.cpp", .same("--seed"), [.chat]),
        ForeignName(
            "lora lora_path adapter_path adapter_name_or_path peft_model",
            "llama.cpp, mlx-lm, LLaMA-Factory",
            .same("--adapter"), [.chat]),
        ForeignName(
            "lora_scaled", "llama.cpp",
            .instead(
                "scales an adapter", write: "--adapter, which has the scale it was trained with"),
            [.chat]),
        ForeignName(
            "system -sys", "ollama, llama.cpp", .same("--system-prompt"), [.chat]),
        ForeignName(
            "reverse_prompt -r stop_sequence stop_strings stop_words", "llama.cpp, Hugging Face",
            .same("--stop"), [.chat]),
        ForeignName(
            "extra_eos_token", "mlx-lm",
            .instead("adds a token", write: "--stop with the text before which an answer ends"),
            [.chat]),
        ForeignName(
            "chat_template_file", "llama.cpp", .same("--template"), [.chat]),
        ForeignName(
            "chat_template", "llama.cpp, mlx-lm",
            .instead(
                "names a built-in template or holds one", write: "--template chat, or a Jinja file"),
            [.chat]),
        ForeignName(
            "use_default_chat_template", "mlx-lm",
            .instead("takes a standard template", write: "--template chat"), [.chat]),
        ForeignName(
            "ignore_chat_template", "mlx-lm",
            .instead("writes the prompt bare", write: "--template none"), [.chat]),
        ForeignName(
            "file -f", "llama.cpp",
            .instead("reads the prompt from a file", write: "--prompt - and < FILE"),
            [.chat]),
        ForeignName(
            "num_return_sequences", "Hugging Face", .same("--n"), [.chat]),
        ForeignName(
            "do_sample", "Hugging Face", .only(["true"], otherwise: "write --temp 0"), [.chat]),
        ForeignName(
            "num_beams", "Hugging Face",
            .only(["1"], otherwise: "there is no beam search"), [.chat]),
        ForeignName(
            "presence_penalty frequency_penalty mirostat xtc_probability dry_multiplier",
            "llama.cpp, ollama",
            .only(
                ["0", "0.0"],
                otherwise:
                    "of penalties there is --repeat-penalty, of cuts --top-p, --top-k and --min-p"),
            [.chat]),
        ForeignName(
            "format", "ollama",
            .instead(
                "asks for an answer in JSON",
                write: "it into the prompt; --json is about the output"),
            [.chat]),
        ForeignName(
            "-fa flash_attn prefill_step_size draft_model num_draft_tokens kv_group_size quantized_kv_start "
                + "ctx_size n_ctx num_ctx max_kv_size -c n_gpu_layers gpu_layers -ngl num_gpu batch_size ubatch_size -b -ub "
                + "keepalive keep_alive keep cache_type_k cache_type_v kv_bits",
            "llama.cpp, ollama, mlx-lm",
            .unneeded(), [.chat]),
        ForeignName(
            "conversation -cnv interactive -i interactive_first mlock no_mmap jinja -st single_turn "
                + "no_display_prompt simple_io", "llama.cpp", .unneeded(takesValue: false), [.chat]),
    ]
}
