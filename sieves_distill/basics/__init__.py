"""Refusals in good words, silence, and files that are whole or not there"""
