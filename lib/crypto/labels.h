/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MT_CRYPTO_LABELS_H
#define MT_CRYPTO_LABELS_H

/*
 * Every label that separates one use of a key, a hash or a signature from another; this is the
 * whole list, and spec/labels.md says who uses which (tools/labels.py holds them to each other). A
 * label is the byte string itself, without a NUL. A duplicate fails a test.
 *
 * X(name, text)
 */
#define MT_LABELS(X)                                                                               \
    X(MT_LABEL_ATTEST, "mesatee-attest-v1")                                                        \
    X(MT_LABEL_SERVICE_KEY, "mesatee-service-key-v1")                                              \
    X(MT_LABEL_NODE_LOG, "mesatee-node-log-v1")                                                    \
    X(MT_LABEL_SOFT_EVIDENCE, "mesatee-soft-evidence-v1")                                          \
    X(MT_LABEL_PLATFORM_CERT, "mesatee-platform-certificate-v1")                                   \
    X(MT_LABEL_POLICY, "mesatee-appraisal-policy-v1")                                              \
    X(MT_LABEL_AUDITORS, "mesatee-auditors-list-v1")                                               \
    X(MT_LABEL_APPROVAL, "mesatee-approval-v1")                                                    \
    X(MT_LABEL_TASK_DIGEST, "mesatee-task-digest-v1")                                              \
    X(MT_LABEL_FUNCTION_DIGEST, "mesatee-function-digest-v1")                                      \
    X(MT_LABEL_RECEIPT, "mesatee-receipt-v1")                                                      \
    X(MT_LABEL_RECOVERY, "mesatee-recovery-epoch-v1")                                              \
    X(MT_LABEL_CLUSTER_ID, "mesatee-cluster-id-v1")                                                \
    X(MT_LABEL_COMMITMENT, "mesatee-object-commitment-v1")                                         \
    X(MT_LABEL_CLAIM_ITEM, "mesatee-claim-item-v1")                                                \
    X(MT_LABEL_SLOT_PASSPHRASE, "mesatee-keyslot-passphrase-v1")                                   \
    X(MT_LABEL_SLOT_FILE, "mesatee-keyslot-file-v1")                                               \
    X(MT_LABEL_SLOT_DEVICE, "mesatee-keyslot-device-v1")                                           \
    X(MT_LABEL_SLOT_SHARES, "mesatee-keyslot-shares-v1")                                           \
    X(MT_LABEL_SLOT_PEER, "mesatee-keyslot-peer-v1")                                               \
    X(MT_LABEL_MACHINE, "mesatee-machine-key-v1")                                                  \
    X(MT_LABEL_LEDGER_SECRET, "mesatee-ledger-secret-v1")                                          \
    X(MT_LABEL_BLOCK_KEY, "mesatee-ledger-block-key-v1")                                           \
    X(MT_LABEL_SNAPSHOT_KEY, "mesatee-ledger-snapshot-key-v1")                                     \
    X(MT_LABEL_TX_RANDOM, "mesatee-tx-random-v1")                                                  \
    X(MT_LABEL_SMALL_FILE, "mesatee-small-file-v1")                                                \
    X(MT_LABEL_BACKUP, "mesatee-backup-v1")                                                        \
    X(MT_LABEL_SNP_MEASUREMENT, "mesatee-snp-measurement-v1")                                      \
    X(MT_LABEL_SNP_CONFIGURATION, "mesatee-snp-configuration-v1")                                  \
    X(MT_LABEL_SNP_PLATFORM, "mesatee-snp-platform-v1")                                            \
    X(MT_LABEL_DCAP_MEASUREMENT, "mesatee-dcap-measurement-v1")                                    \
    X(MT_LABEL_DCAP_PLATFORM, "mesatee-dcap-platform-v1")                                          \
    X(MT_LABEL_TPM_POLICY, "mesatee-tpm-policy-v1")                                                \
    X(MT_LABEL_TPM_MEASUREMENT, "mesatee-tpm-measurement-v1")                                      \
    X(MT_LABEL_AZURE_MEASUREMENT, "mesatee-azure-measurement-v1")                                  \
    X(MT_LABEL_DEVICE_SNP, "mesatee-device-key-snp-v1")                                            \
    X(MT_LABEL_DEVICE_SGX, "mesatee-device-key-sgx-v1")                                            \
    X(MT_LABEL_SHARE, "mesatee-share-v1")                                                          \
    X(MT_LABEL_SHARE_SET, "mesatee-share-set-v1")                                                  \
    X(MT_LABEL_SHARE_TEXT, "mesatee-share-text-v1")

enum mt_label {
#define MT_LABEL_ENUM(name_, text_) name_,
    MT_LABELS(MT_LABEL_ENUM)
#undef MT_LABEL_ENUM
        MT_LABEL_COUNT
};

#endif
